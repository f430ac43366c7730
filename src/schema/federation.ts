// The schema as a subgraph of Apollo Federation 2: gateways read its SDL from `_service`, and resolve references to
// executions by `_entities`. Decision 0030 says why no library is used.
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

const LINK =
  'extend schema @link(url: "https://specs.apollo.dev/federation/v2.0", import: ["@key", "@shareable"])';

/**
 * The directives of types in the SDL. `PageInfo` is defined by the Relay specification, so that other subgraphs have it as
 * well; all other names of types are specific to execstream.
 */
const DIRECTIVES = new Map([
  ['Execution', '@key(fields: "id")'],
  ['PageInfo', '@shareable'],
]);

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
  const sdl = `${LINK}\n\n${withDirectives(printSchema(schema))}\n`;
  const subgraph = extendSchema(schema, DEFINITIONS);
  const { _entities, _service } = subgraph.getQueryType()!.getFields();
  _entities!.resolve = resolveEntities;
  _service!.resolve = () => ({ sdl });
  const entity = subgraph.getType('_Entity');
  if (isUnionType(entity)) entity.resolveType = () => 'Execution';
  return subgraph;
}

function withDirectives(sdl: string): string {
  return sdl.replace(/^type (\w+) (?=\{)/gm, (definition, name) => {
    const directive = DIRECTIVES.get(name);
    return directive ? `${definition}${directive} ` : definition;
  });
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
