// Where the floors meet: constructs every part and hands each what it needs. No logic.
import { type Authorize, allowTenant } from '../execution/permission.ts';
import { createPrismaStore } from '../execution/prisma.ts';
import type { ExecutionStore } from '../execution/store.ts';
import { createGraphQL, type GraphQL, type Logger } from '../graphql/graphql.ts';
import type { EventLog } from '../log/log.ts';
import { createMemoryLog } from '../log/memory.ts';
import { createRedisLog } from '../log/redis/index.ts';
import { createHeldValue } from '../publish/held.ts';
import { DEFAULT_LIMITS } from '../publish/options.ts';
import { splitText } from '../publish/text.ts';
import { createEndReconciler, createRowWatch } from '../relay/end.ts';
import { followAll } from '../relay/follow.ts';
import { createLiveness, type LivenessTimes } from '../relay/liveness.ts';
import { createRowSource, type RowSourceTimes } from '../relay/row-source.ts';
import { createRest } from '../rest/rest.ts';
import { type EventStreamSettings, EventStreams } from '../sse/event-streams.ts';
import { Tails } from '../tail/tails.ts';
import type { Config } from './config.ts';

/** The parts that keep something. */
export interface Parts {
  readonly log: EventLog;
  readonly store: ExecutionStore;
}

export interface ServiceOptions extends Parts {
  readonly settings: EventStreamSettings;
  readonly logger: Logger;
  /** Who may read what; by default every caller their tenant's. */
  readonly authorize?: Authorize | undefined;
  /** When a publisher counts as silent, and as lost. */
  readonly liveness?: Partial<LivenessTimes>;
  /** How a row is polled where nobody publishes. */
  readonly rowSource?: Partial<RowSourceTimes>;
}

export interface Services {
  readonly graphql: GraphQL;
  readonly rest: ReturnType<typeof createRest>;
  readonly streams: EventStreams;
  readonly tails: Tails;
  /** Ends what runs without a request: the tails, and the sweep for lost publishers. */
  close(): Promise<void>;
}

/** The log and the store that a configuration names, or their embedded defaults. */
export function createParts(config: Config, logger: Logger): Parts {
  const { databaseUrl, dataDir, redisUrl, redisPrefix } = config;
  const log = redisUrl ? createRedisLog({ redis: redisUrl, prefix: redisPrefix }) : createMemoryLog();
  const store = createPrismaStore(databaseUrl ? { url: databaseUrl } : { dataDir });
  store.ready().catch((error) => logger.error({ error: String(error) }, 'the database does not answer yet'));
  return { log, store };
}

export function createServices({
  log,
  store,
  settings,
  logger,
  authorize = allowTenant,
  liveness: livenessTimes,
  rowSource: rowSourceTimes,
}: ServiceOptions): Services {
  const content = { splitText, createValue: () => createHeldValue(DEFAULT_LIMITS) };
  const rowSource = createRowSource({ log, store, content, ...rowSourceTimes });
  const reconcileEnd = createEndReconciler({ log, store, copyRow: rowSource.copy });
  const reconcileAtOnce = createEndReconciler({ log, store, graceMs: 0 });
  const liveness = createLiveness({ log, store, reconcileEnd: reconcileAtOnce, ...livenessTimes });
  const stopSweeping = liveness.startSweeping();
  const follow = followAll(createRowWatch({ store, reconcileEnd }), liveness.follow, rowSource.follow);
  const tails = new Tails({ log, store, authorize, reconcileEnd, follow });
  const streams = new EventStreams(settings);
  const graphql = createGraphQL({ services: { store, log, tails, authorize }, streams, logger });
  const rest = createRest({
    log,
    store,
    run: graphql.run,
    streams,
    checks: { log: () => log.ping(), database: () => store.ping() },
    onError: (error) => logger.error({ error: String(error) }, 'rest'),
  });
  const close = async () => {
    stopSweeping();
    await tails.close();
  };
  return { graphql, rest, streams, tails, close };
}
