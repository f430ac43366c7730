// Constructs what serves requests from its parts. No logic.
import { sizeLimitsOf } from '../event/size-limits.ts';
import {
  type Authorize,
  type AuthorizePublish,
  allowTenant,
  createReadFilters,
  withinLimits,
} from '../execution/permission.ts';
import { createQuotas } from '../execution/quotas.ts';
import type { ExecutionStore } from '../execution/store.ts';
import { graphiqlPage } from '../graphql/graphiql.ts';
import type { PersistedQueries } from '../graphql/persisted-queries.ts';
import { createGraphQL, type GraphQL } from '../graphql/yoga.ts';
import type { EventLog } from '../log/log.ts';
import { createRest, type Rest } from '../rest/create-rest.ts';
import { EventStreams } from '../sse/event-streams.ts';
import type { EventStreamSettings } from '../sse/stream-settings.ts';
import { Tails } from '../tail/tails.ts';
import type { ErrorLogger } from '../telemetry/logger.ts';
import { STDERR } from '../telemetry/stderr-logger.ts';
import { createStreamTokens, type RedeemableStreamTokens } from './auth/stream-tokens.ts';
import { createMemoryTokenRecords } from './auth/token-records.ts';
import { type LimitOptions, resolveLimits } from './limits.ts';
import { createMetrics } from './metrics.ts';
import { createPartWatch } from './part-watch.ts';
import { createSources, type SourceOptions, type Sources } from './sources.ts';

/** The parts that store data, and where it comes from. */
export interface Parts {
  readonly log: EventLog;
  readonly store: ExecutionStore;
  /**
   * Where the events of executions come from that nobody publishes.
   * @default rows alone
   */
  readonly sources?: Sources | undefined;
  /**
   * Closed with the server.
   * @default in memory, for a single server
   */
  readonly streamTokens?: RedeemableStreamTokens | undefined;
}

export interface ServicesOptions extends Parts, SourceOptions {
  /**
   * Settings of streams.
   * @default DEFAULT_STREAM_SETTINGS
   */
  readonly settings?: Partial<EventStreamSettings> | undefined;
  /**
   * Any structured logger, such as pino's.
   * @default warnings and errors go to stderr, one line each
   */
  readonly logger?: ErrorLogger | undefined;
  /** Limits that differ from the defaults. Those of connections are options of `listen`. */
  readonly limits?: LimitOptions | undefined;
  /**
   * Whether clients may send the hash of a GraphQL document in its place: `off` or `automatic`.
   * @default 'off'
   */
  readonly persistedQueries?: PersistedQueries | undefined;
  /**
   * Who may read what.
   * @default allowTenant: every caller may read the executions of its tenant.
   */
  readonly authorize?: Authorize | undefined;
  /**
   * Who may publish what.
   * @default publishTenant: every caller may publish the executions of its tenant.
   */
  readonly authorizePublish?: AuthorizePublish | undefined;
}

/** What serves requests, without how they arrive. */
export interface Services {
  readonly log: EventLog;
  readonly store: ExecutionStore;
  readonly graphql: GraphQL;
  /** Serves every request, GraphQL's included. */
  readonly rest: Rest;
  readonly streams: EventStreams;
  readonly tails: Tails;
  readonly streamTokens: RedeemableStreamTokens;
  readonly logger: ErrorLogger;
  /** Reports an internal error. */
  readonly onError: (error: unknown) => void;
  /**
   * Starts to check the log and the database every 5 s, and to log why one is unavailable: when that begins, every minute
   * while it lasts, and when it ends.
   * @returns a function that stops it
   */
  readonly watchParts: () => () => void;
  /** Stops what runs without a request: the tails, and the sweep for lost publishers. */
  close(): Promise<void>;
}

/** @param basePath the path that precedes those of the routes in links */
export function createServices(options: ServicesOptions, basePath: string): Services {
  const { log, store, settings, logger = STDERR, authorizePublish } = options;
  const limits = resolveLimits(options.limits);
  const { authorize: policy = allowTenant } = options;
  const { streamTokens = createMemoryTokens(limits.streamTokensPerCaller) } = options;
  const authorize = withinLimits(policy);
  const onError = (error: unknown) => logger.error({ err: error }, 'request or stream failed');
  const sizes = sizeLimitsOf(limits.messageBytes);
  const sources = createSources({ ...options, logger, sizes });
  const { listRuns, discover } = sources;
  const tails = new Tails({
    log,
    store,
    authorize,
    ...sources.forTails,
    limits: limits.streams,
    logger,
    sizes,
  });
  const streams = new EventStreams(settings, onError);
  const quotas = createQuotas(limits.quotas);
  const partWatch = createPartWatch({ log: () => log.ping(), database: () => store.ping() }, logger);
  const graphql = createGraphQL({
    services: {
      ...{ store, log, tails, authorize, readFilters: createReadFilters(policy), streamTokens, quotas },
      ...{ listRuns, discover },
    },
    streams,
    logger,
    limits: limits.query,
    documents: limits.documents,
    sizes,
    reservationsPerCaller: limits.reservationsPerCaller,
    persistedQueries: options.persistedQueries,
  });
  const rest = createRest({
    log,
    store,
    quotas,
    sizes,
    run: graphql.run,
    graphql: { fetch: (request, caller) => graphql.yoga.fetch(request, { caller }), page: graphiqlPage },
    maxBodyBytes: limits.maxBodyBytes,
    basePath,
    streams,
    checkHealth: partWatch.check,
    onUnavailable: partWatch.onUnavailable,
    metrics: createMetrics({ streams, tails, counter: graphql.counter, temporal: sources.temporalMetrics }),
    ...{ authorize, authorizePublish },
    findWorkflow: (executionId, caller) => tails.find({ kind: 'workflow', executionId, caller }),
    onError,
  });
  const close = async () => {
    sources.stopSweeping();
    await tails.close();
    await Promise.all([sources.close(), streamTokens.close()]);
  };
  const watchParts = partWatch.start;
  return { log, store, graphql, rest, streams, tails, streamTokens, logger, onError, watchParts, close };
}

function createMemoryTokens(perCaller: number): RedeemableStreamTokens {
  return createStreamTokens(createMemoryTokenRecords(), { perCaller });
}
