// PROTOCOL.md repeats parts of other pages and of the schema, so that it can be read alone: the copies must agree.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSchema, type FieldDefinitionNode, type GraphQLSchema, Kind, parse, print } from 'graphql';
import { expect, test } from 'vitest';
import { blocksOf, ROOT } from './blocks.ts';

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

/** Each event type of a page's catalogue with its kinds and its fields, optional ones marked. */
function catalogueOf(path: string): string[] {
  const rows = [
    ...read(path).matchAll(/^\| `([a-z]+_?[a-z]+)` \| ((?:workflow|agent|task|all)[^|]*) \| (.*) \|$/gm),
  ];
  return rows.map(([, type, streams, data]) => {
    const kinds = streams!.match(/workflow|agent|task|all/g);
    const fields = data!.replace(/\(.*?\)|:.*/g, '').match(/`\w+\??`/g);
    return `${type}: ${kinds}: ${fields}`;
  });
}

test('PROTOCOL.md, Events: the catalogue has the types, streams and fields of docs/events.md', () => {
  const catalogue = catalogueOf('PROTOCOL.md');
  expect(catalogue).toHaveLength(15);
  expect(catalogue).toEqual(catalogueOf('docs/events.md'));
});

test('PROTOCOL.md, GraphQL: every field of the outline is in schema.graphql, with the same arguments and type', () => {
  const schema = buildSchema(read('schema.graphql'));
  const [outline] = blocksOf('PROTOCOL.md').filter(({ language }) => language === 'graphql');
  const types = parse(outline!.text).definitions.flatMap((definition) =>
    definition.kind === Kind.OBJECT_TYPE_DEFINITION || definition.kind === Kind.INTERFACE_TYPE_DEFINITION
      ? [definition]
      : [],
  );
  expect(types.map(({ name }) => name.value)).toContain('Execution');
  for (const { name, fields } of types) {
    for (const field of fields ?? []) {
      expect(fieldOf(schema, name.value, field.name.value), `${name.value}.${field.name.value}`).toEqual(
        shapeOf(field),
      );
    }
    // The outline of a type is complete, or clients would take it for that.
    const known = fieldsOf(schema, name.value).map((field) => field.name.value);
    expect(fields?.map((field) => field.name.value).toSorted(), name.value).toEqual(known.toSorted());
  }
});

function fieldsOf(schema: GraphQLSchema, type: string): readonly FieldDefinitionNode[] {
  const node = schema.getType(type)?.astNode;
  return node && 'fields' in node ? (node.fields as readonly FieldDefinitionNode[]) : [];
}

function fieldOf(schema: GraphQLSchema, type: string, name: string): object | undefined {
  const field = fieldsOf(schema, type).find((each) => each.name.value === name);
  return field && shapeOf(field);
}

function shapeOf({ type, arguments: args = [] }: FieldDefinitionNode): object {
  const argument = (arg: (typeof args)[number]) => print({ ...arg, description: undefined });
  return { type: print(type), arguments: args.map(argument).toSorted() };
}
