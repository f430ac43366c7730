// Compiles an operation on events to functions of the event: the same results as graphql-js, at a tenth of the cost.
// Operations that cannot be compiled, and events for which a compiled field fails, fall back to graphql-js.
//
// This is possible because of the fields of events: their resolvers are synchronous and depend on the event alone, they
// have no arguments, and none of them is a list.
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

/** Resolvers receive the event and nothing else, so nothing of one caller can reach another. */
export const NO_CONTEXT = Object.freeze({});

export interface CompiledOperation {
  /** The result as JSON, `{"data":…}`. Throws if graphql-js must execute the operation instead. */
  json(event: ExecutionEvent): string;
  /** The data of the result as objects. Throws likewise. */
  data(event: ExecutionEvent): Record<string, unknown>;
}

interface Field {
  readonly key: string;
  /** The key as JSON with its colon; names need no escapes. */
  readonly label: string;
  /** Reads the field's value from its object: serialised, or the object for its own selection. */
  read(source: unknown): unknown;
  readonly write: (value: unknown) => string;
  /** The selection, if the field is an object. */
  readonly fields: readonly Field[] | undefined;
}

/** Thrown to fall back to graphql-js. A single object, because its stack is never used. */
const FALL_BACK = new Error('fall back to graphql-js');

/** Compiles an operation; undefined if it cannot be compiled. */
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

  const isExcluded = (node: SelectionNode): boolean =>
    getDirectiveValues(GraphQLSkipDirective, node, coerced)?.if === true ||
    getDirectiveValues(GraphQLIncludeDirective, node, coerced)?.if === false;

  /** The fields selected of a type, by their keys in the result, in its order. */
  function collect(
    type: GraphQLObjectType,
    selections: readonly SelectionNode[],
    fields = new Map<string, FieldNode[]>(),
    visited = new Set<string>(),
  ): Map<string, FieldNode[]> {
    for (const node of selections) {
      if (isExcluded(node)) continue;
      if (node.kind === Kind.FIELD) {
        const key = (node.alias ?? node.name).value;
        const nodes = fields.get(key) ?? [];
        nodes.push(node);
        fields.set(key, nodes);
        continue;
      }
      if (node.kind === Kind.FRAGMENT_SPREAD) {
        // A second visit adds no field, and fragments that spread each other twice would take exponential time.
        if (visited.has(node.name.value)) continue;
        visited.add(node.name.value);
      }
      const { typeCondition, selectionSet } =
        node.kind === Kind.INLINE_FRAGMENT ? node : fragments.get(node.name.value)!;
      const condition = typeCondition && schema.getType(typeCondition.name.value);
      const applies =
        !condition || condition === type || (isAbstractType(condition) && schema.isSubType(condition, type));
      if (applies) collect(type, selectionSet.selections, fields, visited);
    }
    return fields;
  }

  function compile(type: GraphQLObjectType, nodes: readonly FieldNode[]): Field[] {
    const selections = nodes.flatMap(({ selectionSet }) => selectionSet?.selections ?? []);
    return [...collect(type, selections)].map(([key, fieldNodes]) => compileField(type, key, fieldNodes));
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
        const serialized = serialize ? serialize(value) : value;
        if (serialized === undefined || serialized === null || serialized instanceof Promise) throw FALL_BACK;
        return serialized;
      },
      write: isEnumType(output) ? writeName : writeJson,
      fields,
    };
  }

  /** Compiles the stream's field, whose value is the event. Its selection depends on the event's type. */
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
        const objectType = typeof name === 'string' ? schema.getType(name) : undefined;
        if (!isObjectType(objectType)) throw FALL_BACK;
        fields = compile(objectType, nodes);
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
  // Without a prototype, as in graphql-js: a key may be `__proto__`.
  const object = Object.create(null) as Record<string, unknown>;
  for (const { key, read, fields: inner } of fields) {
    const value = read(source);
    object[key] = value !== null && inner ? toObject(inner, value) : value;
  }
  return object;
}

/** A GraphQL name, which needs no escapes. */
function writeName(name: unknown): string {
  return `"${name}"`;
}

/** Text without characters that JSON escapes. Most text is, and this test takes a third of the time of JSON.stringify. */
const PLAIN = /^[ !#-[\]-~]*$/;

function writeJson(value: unknown): string {
  if (typeof value === 'string' && PLAIN.test(value)) return `"${value}"`;
  if (typeof value === 'number' && Number.isFinite(value)) return `${value}`;
  const text = JSON.stringify(value);
  // JSON cannot represent the value; JSON.stringify would omit its key.
  if (text === undefined) throw FALL_BACK;
  return text;
}
