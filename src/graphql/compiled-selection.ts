// An operation on events, compiled to functions of the event: what the general executor would answer, for a tenth of
// the cost. What cannot be compiled, and whatever a compiled field finds amiss, is left to the general executor.
//
// Fields of events make it possible: their resolvers take nothing but the event and answer at once, they have no
// arguments, and none of them is a list.
import {
  type ExecutionArgs,
  type FieldNode,
  type FragmentDefinitionNode,
  GraphQLIncludeDirective,
  GraphQLNonNull,
  type GraphQLNullableType,
  type GraphQLObjectType,
  GraphQLSkipDirective,
  getDirectiveValues,
  getNullableType,
  getOperationAST,
  getVariableValues,
  isAbstractType,
  isEnumType,
  isInterfaceType,
  isLeafType,
  isObjectType,
  Kind,
  type SelectionNode,
} from 'graphql';
import type { ExecutionEvent } from '../event/events.ts';

/** Resolvers are given the event and nothing else, so nothing of one caller can reach another. */
export const NO_CONTEXT = Object.freeze({});

export interface CompiledOperation {
  /** The result as JSON, `{"data":…}`. Throws where the general executor must answer. */
  json(event: ExecutionEvent): string;
  /** The same as objects. */
  data(event: ExecutionEvent): Record<string, unknown>;
}

interface Field {
  readonly key: string;
  /** The key as JSON with its colon; names need no escapes. */
  readonly label: string;
  /** The field's value of its object: serialised, or what its own selection is made of. */
  read(source: unknown): unknown;
  readonly write: (value: unknown) => string;
  /** Of an object. */
  readonly fields: readonly Field[] | undefined;
}

/** Not worth a stack: it says only that the general executor is to answer. */
const FALL_BACK = new Error('left to the general executor');

/** Compiles an operation; undefined where it holds what is not compiled. */
export function compileOperation(args: ExecutionArgs): CompiledOperation | undefined {
  const { schema, document, operationName, variableValues } = args;
  const operation = getOperationAST(document, operationName)!;
  const { coerced = {} } = getVariableValues(
    schema,
    operation.variableDefinitions ?? [],
    variableValues ?? {},
  );
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  }

  const isLeftOut = (node: SelectionNode): boolean =>
    getDirectiveValues(GraphQLSkipDirective, node, coerced)?.if === true ||
    getDirectiveValues(GraphQLIncludeDirective, node, coerced)?.if === false;

  /** The fields that are asked of a type, by the keys of the result, in its order. */
  function collect(
    type: GraphQLObjectType,
    selections: readonly SelectionNode[],
    found = new Map<string, FieldNode[]>(),
    visited = new Set<string>(),
  ): Map<string, FieldNode[]> {
    for (const node of selections) {
      if (isLeftOut(node)) continue;
      if (node.kind === Kind.FIELD) {
        const key = (node.alias ?? node.name).value;
        const nodes = found.get(key) ?? [];
        nodes.push(node);
        found.set(key, nodes);
        continue;
      }
      if (node.kind === Kind.FRAGMENT_SPREAD) {
        // Once is enough, and fragments that name each other twice would be visited without end.
        if (visited.has(node.name.value)) continue;
        visited.add(node.name.value);
      }
      const { typeCondition, selectionSet } =
        node.kind === Kind.INLINE_FRAGMENT ? node : fragments.get(node.name.value)!;
      const condition = typeCondition && schema.getType(typeCondition.name.value);
      const applies =
        !condition || condition === type || (isAbstractType(condition) && schema.isSubType(condition, type));
      if (applies) collect(type, selectionSet.selections, found, visited);
    }
    return found;
  }

  function compile(type: GraphQLObjectType, nodes: readonly FieldNode[]): Field[] {
    const selections = nodes.flatMap(({ selectionSet }) => selectionSet?.selections ?? []);
    return [...collect(type, selections)].map(([key, found]) => compileField(type, key, found));
  }

  function compileField(type: GraphQLObjectType, key: string, nodes: readonly FieldNode[]): Field {
    const name = nodes[0]!.name.value;
    const label = `"${key}":`;
    if (name === '__typename') {
      return { key, label, read: () => type.name, write: writeName, fields: undefined };
    }
    const { resolve, args: parameters, type: declared } = type.getFields()[name]!;
    const isNullable = !(declared instanceof GraphQLNonNull);
    const output: GraphQLNullableType = getNullableType(declared);
    const serialize = isLeafType(output) ? (value: unknown) => output.serialize(value) : undefined;
    if (parameters.length > 0 || !(serialize || isObjectType(output))) throw FALL_BACK;
    const fields = isObjectType(output) ? compile(output, nodes) : undefined;
    return {
      key,
      label,
      read(source) {
        const value = resolve
          ? resolve(source, NO_CONTEXT, NO_CONTEXT, undefined as never)
          : (source as Record<string, unknown>)[name];
        if (value === undefined || value === null) {
          if (isNullable) return null;
          throw FALL_BACK;
        }
        const shown = serialize ? serialize(value) : value;
        if (shown === undefined || shown === null || shown instanceof Promise) throw FALL_BACK;
        return shown;
      },
      write: isEnumType(output) ? writeName : writeJson,
      fields,
    };
  }

  /** The stream's own field, which stands for the event; what is asked of it depends on the event's type. */
  function compileStream() {
    const root = schema.getSubscriptionType()!;
    const streams = [...collect(root, operation.selectionSet.selections)];
    const [key, nodes] = streams[0]!;
    const { type } = root.getFields()[nodes[0]!.name.value]!;
    const event = getNullableType(type);
    if (streams.length > 1 || !isInterfaceType(event)) throw FALL_BACK;
    const byType = new Map<string, readonly Field[]>();
    const fieldsOf = (source: ExecutionEvent): readonly Field[] => {
      let fields = byType.get(source.type);
      if (!fields) {
        const name = event.resolveType!(source, NO_CONTEXT, undefined as never, event);
        const found = typeof name === 'string' ? schema.getType(name) : undefined;
        if (!isObjectType(found)) throw FALL_BACK;
        fields = compile(found, nodes);
        byType.set(source.type, fields);
      }
      return fields;
    };
    return { key, fieldsOf };
  }

  try {
    const { key, fieldsOf } = compileStream();
    const head = `{"data":{"${key}":`;
    return {
      json: (event) => `${head}${toJson(fieldsOf(event), event)}}}`,
      data: (event) => ({ [key]: toObject(fieldsOf(event), event) }),
    };
  } catch {
    return undefined;
  }
}

function toJson(fields: readonly Field[], source: unknown): string {
  let text = '';
  for (const { label, read, write, fields: inner } of fields) {
    const value = read(source);
    text += text === '' ? label : `,${label}`;
    text += value === null ? 'null' : inner ? toJson(inner, value) : write(value);
  }
  return `{${text}}`;
}

function toObject(fields: readonly Field[], source: unknown): Record<string, unknown> {
  // As the general executor's: a key may be `__proto__`.
  const object = Object.create(null) as Record<string, unknown>;
  for (const { key, read, fields: inner } of fields) {
    const value = read(source);
    object[key] = value !== null && inner ? toObject(inner, value) : value;
  }
  return object;
}

/** A name of GraphQL's, which needs no escapes. */
function writeName(name: unknown): string {
  return `"${name}"`;
}

/** What JSON has no escape for, and stands in it as it is: most text, and looked through in a third of the time. */
const PLAIN = /^[ !#-[\]-~]*$/;

function writeJson(value: unknown): string {
  if (typeof value === 'string' && PLAIN.test(value)) return `"${value}"`;
  if (typeof value === 'number' && Number.isFinite(value)) return `${value}`;
  const text = JSON.stringify(value);
  // What JSON has no word for, objects leave out.
  if (text === undefined) throw FALL_BACK;
  return text;
}
