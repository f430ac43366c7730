// A Yoga plugin: limits what a selection adds to the messages of a stream. An event's large field may be selected under
// one name, besides `data`, so that a message has two copies of it at most; and the names and small fields of an event
// must fit into what the limits of events leave for them (event/size-limits.ts).
import {
  type FieldNode,
  GraphQLError,
  type GraphQLField,
  type GraphQLNamedOutputType,
  type GraphQLObjectType,
  getNamedType,
  isAbstractType,
  isInterfaceType,
  isObjectType,
  Kind,
  type SelectionNode,
  type ValidationContext,
  type ValidationRule,
} from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { MAX_EXECUTION_ID_BYTES } from '../event/execution-id.ts';
import { ENVELOPE_BYTES } from '../event/size-limits.ts';

const EVENT = 'ExecutionEvent';

/** JSON bytes of the small scalars. An enum's value is a name of the schema. */
const SMALL: Readonly<Record<string, number>> = {
  Int: 11,
  Float: 24,
  Boolean: 5,
  Cursor: 36,
  DateTime: 26,
  EventType: 24,
};
/**
 * JSON bytes of an execution id whose characters need no escapes. The other ids are as long as their publishers make them.
 */
const EXECUTION_ID_BYTES = MAX_EXECUTION_ID_BYTES + 2;

/** Bytes of a message around the event: lines of SSE or headers of a part, and the result around the stream's field. */
const MESSAGE_BYTES = 1024;
const MAX_SELECTION_BYTES = ENVELOPE_BYTES - MESSAGE_BYTES;

/** @param prefix precedes the names of the types of events */
export function useEventAliasLimit(prefix = ''): Plugin {
  const rule = eventAliasRule(prefix);
  return { onValidate: ({ addValidationRule }) => addValidationRule(rule) };
}

/** The nodes of a selection, by their names in the result. */
type Selection = ReadonlyMap<string, readonly FieldNode[]>;

const eventAliasRule =
  (prefix: string): ValidationRule =>
  (context) => ({
    OperationDefinition(operation) {
      const schema = context.getSchema();
      const root = schema.getSubscriptionType();
      if (operation.operation !== 'subscription' || !root) return;
      for (const [name, nodes] of collect(context, root, operation.selectionSet.selections)) {
        const type = getNamedType(root.getFields()[nodes[0]!.name.value]?.type);
        if (!isInterfaceType(type) || type.name !== prefix + EVENT) continue;
        for (const eventType of schema.getPossibleTypes(type)) {
          const problem = problemWith(context, eventType, nodes, prefix, bytesOf(name));
          if (!problem) continue;
          const options = { nodes: problem.node, extensions: { code: 'BAD_USER_INPUT' } };
          context.reportError(new GraphQLError(problem.message, options));
          return;
        }
      }
    },
  });

interface Problem {
  readonly message: string;
  readonly node: FieldNode;
}

/** Why the events of a type may not be selected so; undefined if they may. */
function problemWith(
  context: ValidationContext,
  type: GraphQLObjectType,
  streams: readonly FieldNode[],
  prefix: string,
  streamBytes: number,
): Problem | undefined {
  let bytes = streamBytes;

  function check(object: GraphQLObjectType, nodes: readonly FieldNode[]): Problem | undefined {
    const selections = nodes.flatMap(({ selectionSet }) => selectionSet?.selections ?? []);
    const large = new Set<string>();
    for (const [name, fieldNodes] of collect(context, object, selections)) {
      const node = fieldNodes[0]!;
      const field = object.getFields()[node.name.value];
      const small = field ? smallBytes(field, prefix) : bytesOf(object.name);
      bytes += bytesOf(name) + (small ?? 0);
      if (bytes > MAX_SELECTION_BYTES) {
        return { node, message: `${type.name}: names and small fields exceed ${MAX_SELECTION_BYTES} bytes` };
      }
      if (!field || small !== undefined) continue;
      const path = `${object.name}.${field.name}`;
      if (large.has(field.name)) return { node, message: `${path} is selected under several names` };
      large.add(field.name);
      const inner = getNamedType(field.type);
      const problem = isObjectType(inner) ? check(inner, fieldNodes) : undefined;
      if (problem) return problem;
    }
    return undefined;
  }

  return check(type, streams);
}

/** The JSON bytes of a small field; undefined for one of unlimited size. */
function smallBytes({ name, type }: GraphQLField<unknown, unknown>, prefix: string): number | undefined {
  if (name === 'executionId') return EXECUTION_ID_BYTES;
  const { name: scalar } = getNamedType(type);
  return SMALL[scalar] ?? (scalar.startsWith(prefix) ? SMALL[scalar.slice(prefix.length)] : undefined);
}

/** The JSON bytes of a name with its quotes, colon and comma. */
function bytesOf(name: string): number {
  return name.length + 4;
}

/** The fields selected of a type, by their names in the result. */
function collect(
  context: ValidationContext,
  type: GraphQLObjectType,
  selections: readonly SelectionNode[],
  fields = new Map<string, FieldNode[]>(),
  visited = new Set<string>(),
): Selection {
  for (const node of selections) {
    if (node.kind === Kind.FIELD) {
      const name = (node.alias ?? node.name).value;
      fields.set(name, [...(fields.get(name) ?? []), node]);
      continue;
    }
    if (node.kind === Kind.FRAGMENT_SPREAD) {
      if (visited.has(node.name.value)) continue;
      visited.add(node.name.value);
    }
    const fragment = node.kind === Kind.INLINE_FRAGMENT ? node : context.getFragment(node.name.value);
    if (!fragment) continue;
    const condition =
      fragment.typeCondition && context.getSchema().getType(fragment.typeCondition.name.value);
    if (applies(context, type, condition as GraphQLNamedOutputType | undefined)) {
      collect(context, type, fragment.selectionSet.selections, fields, visited);
    }
  }
  return fields;
}

function applies(
  context: ValidationContext,
  type: GraphQLObjectType,
  condition: GraphQLNamedOutputType | undefined,
): boolean {
  if (!condition || condition === type) return true;
  return isAbstractType(condition) && context.getSchema().isSubType(condition, type);
}
