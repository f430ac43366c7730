// GraphQL over HTTP: Yoga with our subscriptions. The REST aliases run operations through the same plugins.
import {
  assertValidSchema,
  type DocumentNode,
  type ExecutionResult,
  GraphQLError,
  getOperationAST,
} from 'graphql';
import { createYoga, type YogaServerInstance } from 'graphql-yoga';
import type { SizeLimits } from '../event/size-limits.ts';
import type { Caller } from '../execution/permission.ts';
import { prefersPage } from '../http/negotiation.ts';
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
import { type PersistedQueries, usePersistedQueries } from './persisted-queries.ts';
import { DEFAULT_QUERY_LIMITS, type QueryLimits, useQueryLimits } from './query-limits.ts';
import { useQueryQuota } from './query-quota.ts';
import { useRequestParams } from './request-params.ts';
import { useReservations } from './reservations.ts';
import { useResponseFormat } from './response-format.ts';
import { type DocumentLimits, SharedEncodings } from './shared-encodings.ts';
import { SubscriptionRegistry, useExecuteOnce } from './subscriptions.ts';

export interface GraphQLOptions {
  readonly services: SchemaServices;
  readonly streams: EventStreams;
  readonly logger: ErrorLogger;
  readonly limits?: Partial<QueryLimits> | undefined;
  readonly documents?: Partial<DocumentLimits> | undefined;
  /**
   * Limits of the messages.
   * @default DEFAULT_SIZE_LIMITS
   */
  readonly sizes?: SizeLimits | undefined;
  /**
   * Reservations of single connection mode per caller, with or without a connection.
   * @default 100
   */
  readonly reservationsPerCaller?: number | undefined;
  /** @default 'off' */
  readonly persistedQueries?: PersistedQueries | undefined;
}

/** What the server passes with each request. */
export interface ServerContext {
  readonly caller: Caller;
}

export interface GraphQL {
  /** @internal */
  readonly yoga: YogaServerInstance<ServerContext, object>;
  /** Runs an operation through the same plugins as GraphQL's own requests. */
  readonly run: RunOperation;
  readonly counter: ExecutionCounter;
  readonly services: SchemaServices;
  /** Creates the registry of another Yoga server's subscriptions, with the same limits. */
  createRegistry(): SubscriptionRegistry;
}

export function createGraphQL(options: GraphQLOptions): GraphQL {
  const { services, streams, logger, limits, reservationsPerCaller } = options;
  const { quotas } = services;
  // Otherwise the first request would have to wait for it.
  assertValidSchema(schema);
  const queryLimits = { ...DEFAULT_QUERY_LIMITS, ...limits };
  const { documents, sizes } = options;
  const encodings = new SharedEncodings(documents, sizes);
  const operations = new SubscriptionRegistry(encodings);
  // Yoga logs every error that it masks, including mistakes in requests, which are no errors of the server.
  const log = (error: unknown) => {
    if (isInternal(error)) logger.error({ err: error }, 'graphql');
  };
  const yoga = createYoga<ServerContext, object>({
    schema,
    // A single connection carries many logs, so one cursor would be ambiguous.
    context: ({ request, caller }) => ({
      caller,
      services,
      lastEventId: new URL(request.url).pathname === '/graphql/stream' ? undefined : lastEventIdOf(request),
    }),
    // There are no uploads, and browsers send multipart forms without a preflight.
    multipart: false,
    // The server limits bodies before they are read here. Yoga's own limit keeps a stream over the body in memory for each
    // viewer (docs/decisions/0018).
    maxRequestBodySize: false,
    plugins: [
      // Before the check of the parameters, because it adds the document.
      usePersistedQueries(options.persistedQueries ?? 'off'),
      useRequestParams(),
      useQueryQuota(quotas),
      useQueryLimits(queryLimits),
      useOperations({ services, limits: queryLimits, maxCost: queryLimits.cost }),
      useEventAliasLimit(),
      useReservations({ streams, quotas, perCaller: reservationsPerCaller }),
      useExecuteOnce(operations),
      useResponseFormat(operations, streams),
      useProtocolCodes(),
    ],
    maskedErrors: { maskError },
    logging: { debug: () => {}, info: () => {}, warn: log, error: log },
    landingPage: false,
    cors: false,
    graphiql: prefersPage,
    renderGraphiQL: graphiqlBytes,
  });

  return {
    yoga,
    counter: encodings.counter,
    services,
    createRegistry: () => new SubscriptionRegistry(new SharedEncodings(documents, sizes, encodings.counter)),
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

/** Our own documents always parse; but the caller's quota may be exhausted. */
function parsed(parse: () => DocumentNode): DocumentNode | ExecutionResult {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof GraphQLError) || isInternal(error)) throw error;
    return maskErrors({ errors: [error] });
  }
}
