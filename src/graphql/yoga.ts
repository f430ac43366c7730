// GraphQL over HTTP: Yoga with our subscriptions, and the same pipeline for the REST aliases to run on.
import {
  assertValidSchema,
  type DocumentNode,
  type ExecutionResult,
  GraphQLError,
  getOperationAST,
} from 'graphql';
import { createYoga, type YogaServerInstance } from 'graphql-yoga';
import type { Caller } from '../execution/permission.ts';
import { schema } from '../schema/index.ts';
import type { RunOperation } from '../schema/operation.ts';
import type { SchemaServices } from '../schema/services.ts';
import type { EventStreams } from '../sse/event-streams.ts';
import type { ExecutionCounter } from '../stream/shared-encoding.ts';
import type { ErrorLogger } from '../telemetry/logger.ts';
import { isInternal, maskError, maskErrors, useProtocolCodes } from './errors.ts';
import { useEventAliasLimit } from './event-aliases.ts';
import { graphiqlBytes } from './graphiql.ts';
import { lastEventIdOf } from './last-event-id.ts';
import { useOperations } from './operations.ts';
import { DEFAULT_QUERY_LIMITS, type QueryLimits, useQueryLimits } from './query-limits.ts';
import { useQueryQuota } from './query-quota.ts';
import { useRequestParams } from './request-params.ts';
import { useReservations } from './reservations.ts';
import { type DocumentLimits, SharedEncodings } from './shared-encodings.ts';
import { SubscriptionRegistry, useExecuteOnce } from './subscriptions.ts';
import { useEventStream } from './use-event-stream.ts';

export interface GraphQLOptions {
  readonly services: SchemaServices;
  readonly streams: EventStreams;
  readonly logger: ErrorLogger;
  readonly limits?: Partial<QueryLimits> | undefined;
  readonly documents?: Partial<DocumentLimits> | undefined;
  /** Reservations of single connection mode that one caller may have, connected or not; 100 by default. */
  readonly reservationsPerCaller?: number | undefined;
}

/** What the server hands over with each request. */
export interface ServerContext {
  readonly caller: Caller;
}

export interface GraphQL {
  readonly yoga: YogaServerInstance<ServerContext, object>;
  /** Runs an operation through the same plugins as GraphQL's own requests. */
  readonly run: RunOperation;
  readonly counter: ExecutionCounter;
}

export function createGraphQL(options: GraphQLOptions): GraphQL {
  const { services, streams, logger, limits, reservationsPerCaller } = options;
  const { quotas } = services;
  // Here, and not while the first caller waits.
  assertValidSchema(schema);
  const queryLimits = { ...DEFAULT_QUERY_LIMITS, ...limits };
  const projections = new SharedEncodings(options.documents);
  const operations = new SubscriptionRegistry(projections);
  // Yoga logs what it masks; an answer to a caller's mistake is not an error of the server.
  const log = (error: unknown) => {
    if (isInternal(error)) logger.error({ err: error }, 'graphql');
  };
  const yoga = createYoga<ServerContext, object>({
    schema,
    // Single connection mode carries many logs on one connection, so no one cursor can be meant.
    context: ({ request, caller }) => ({
      caller,
      services,
      lastEventId: new URL(request.url).pathname === '/graphql/stream' ? undefined : lastEventIdOf(request),
    }),
    // Nobody uploads files, and a form of that kind needs no preflight.
    multipart: false,
    // Bounded before it comes here (rest/graphql-endpoint.ts). Yoga's own bound keeps a stream over the body for each
    // viewer (decision 0018).
    maxRequestBodySize: false,
    plugins: [
      useRequestParams(),
      useQueryQuota(quotas),
      useQueryLimits(queryLimits),
      useOperations({ services, limits: queryLimits, maxCost: queryLimits.cost }),
      useEventAliasLimit(),
      useReservations({ streams, quotas, perCaller: reservationsPerCaller }),
      useExecuteOnce(operations),
      useEventStream(operations, streams),
      useProtocolCodes(),
    ],
    maskedErrors: { maskError },
    logging: { debug: () => {}, info: () => {}, warn: log, error: log },
    landingPage: false,
    cors: false,
    graphiql: true,
    renderGraphiQL: graphiqlBytes,
  });

  return {
    yoga,
    counter: projections.counter,
    run: async ({ request, caller, query, variables, encoding }) => {
      const enveloped = yoga.getEnveloped({ request, caller, encoding });
      const document = parsed(() => enveloped.parse(query));
      if (!('kind' in document)) return document;
      const contextValue = await enveloped.contextFactory();
      const args = { schema: enveloped.schema, document, contextValue, variableValues: variables };
      const subscribes = getOperationAST(document)?.operation === 'subscription';
      const result = await (subscribes ? enveloped.subscribe(args) : enveloped.execute(args));
      return operations.of(request) ?? (result as ExecutionResult);
    },
  };
}

/** A document of ours always parses; its caller's quota may be used up. */
function parsed(parse: () => DocumentNode): DocumentNode | ExecutionResult {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof GraphQLError) || isInternal(error)) throw error;
    return maskErrors({ errors: [error] });
  }
}
