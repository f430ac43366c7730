// The schema as a subgraph of Apollo Federation 2: gateways read its SDL from `_service`, and resolve references to
// executions by `_entities`. See docs/decisions/0028 for why no library is used.
import {
  extendSchema,
  type GraphQLFieldResolver,
  type GraphQLSchema,
  isUnionType,
  parse,
  printSchema,
} from 'graphql';
import { ExecstreamError } from '../event/errors.ts';
import { checkExecutionId } from '../event/execution-id.ts';
import type { ExecutionSummary } from '../execution/store.ts';
import type { RequestContext } from './context.ts';
import { visibleExecution } from './execution.ts';

/** Representations of one `_entities` field: as many as the store reads with one statement. */
export const MAX_REPRESENTATIONS = 1_000;

/**
 * The directives, which apply to the types of the schema by extension. `PageInfo` is a type of the Relay specification
 * that many subgraphs define; all other types of execstream have names that nothing else should use.
 */
const DIRECTIVES = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.0", import: ["@key", "@shareable"])

extend type Execution @key(fields: "id")

extend type PageInfo @shareable`;

const DEFINITIONS = parse(`
  "A reference to an entity: its \`__typename\` and the fields of its key."
  scalar _Any

  union _Entity = Execution

  type _Service {
    "The schema for composition, with its directives."
    sdl: String!
  }

  extend type Query {
    "For gateways: the executions with these ids, of any kind. Up to ${MAX_REPRESENTATIONS}; null for those that \`execution\` would not return."
    _entities(representations: [_Any!]!): [_Entity]!

    "For gateways: this schema as a subgraph."
    _service: _Service!
  }
`);

/** Adds what gateways need to a schema. */
export function asSubgraph(schema: GraphQLSchema): GraphQLSchema {
  const sdl = `${printSchema(schema)}\n\n${DIRECTIVES}\n`;
  const subgraph = extendSchema(schema, DEFINITIONS);
  const { _entities, _service } = subgraph.getQueryType()!.getFields();
  _entities!.resolve = resolveEntities;
  _service!.resolve = () => ({ sdl });
  const entity = subgraph.getType('_Entity');
  if (isUnionType(entity)) entity.resolveType = () => 'Execution';
  return subgraph;
}

const resolveEntities: GraphQLFieldResolver<unknown, RequestContext, { representations: unknown[] }> = (
  _,
  { representations },
  context,
) => {
  if (representations.length > MAX_REPRESENTATIONS) {
    const detail = `representations: expected up to ${MAX_REPRESENTATIONS}, got ${representations.length}`;
    throw new ExecstreamError('BAD_USER_INPUT', detail);
  }
  // Before any read, because unknown executions cause reads as well.
  context.reads.count(representations.length);
  return representations.map((representation) => resolveReference(representation, context));
};

/** Async, so that an invalid reference fails alone. */
async function resolveReference(
  representation: unknown,
  context: RequestContext,
): Promise<ExecutionSummary | null> {
  const id = checkExecutionId(idOf(representation));
  return visibleExecution(await context.reads.findAny(id), context);
}

function idOf(representation: unknown): string {
  const { __typename: type, id } = (representation ?? {}) as { __typename?: unknown; id?: unknown };
  if (type !== 'Execution') {
    const got = typeof type === 'string' ? `"${type.slice(0, 80)}"` : typeof type;
    throw new ExecstreamError('BAD_USER_INPUT', `__typename: expected "Execution", got ${got}`);
  }
  if (typeof id === 'string') return id;
  throw new ExecstreamError('BAD_USER_INPUT', `id: expected a string, got ${typeof id}`);
}
