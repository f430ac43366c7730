// Creates what a configuration names: the parts of a server, and the options to construct it with.
import { createPrismaStore } from '../../execution/prisma-store.ts';
import { createMemoryLog } from '../../log/memory.ts';
import { createRedisLog } from '../../log/redis/redis-log.ts';
import type { ErrorLogger } from '../../telemetry/logger.ts';
import { createRedactingDecoder } from '../../temporal/source/payload-decoder.ts';
import { createStreamTokens } from '../auth/stream-tokens.ts';
import { createMemoryTokenRecords, createRedisTokenRecords } from '../auth/token-records.ts';
import type { ExecstreamOptions } from '../create-execstream.ts';
import type { Parts } from '../create-services.ts';
import type { Config } from './config.ts';

/**
 * Creates the log, the store and what else a configuration names, or their embedded defaults. They connect in the
 * background, Temporal when it is used; the caller closes the log and the store.
 */
export function createParts(config: Config, logger: ErrorLogger): Parts {
  const { databaseUrl, dataDir, redisUrl, redisPrefix, redisWaitReplicas } = config;
  const log = redisUrl
    ? createRedisLog({ redis: redisUrl, prefix: redisPrefix, waitReplicas: redisWaitReplicas })
    : createMemoryLog();
  const store = createPrismaStore(databaseUrl ? { url: databaseUrl } : { dataDir }, { logger });
  // Starts to connect. The server checks and logs whether it is available.
  store.ready().catch(() => {});
  const records = redisUrl ? createRedisTokenRecords(redisUrl, redisPrefix) : createMemoryTokenRecords();
  const { sessionMs, policyClaims, limits } = config;
  const tokenOptions = { sessionMs, policyClaims, perCaller: limits.streamTokensPerCaller };
  const streamTokens = createStreamTokens(records, tokenOptions);
  return { log, store, sources: { temporal: config.temporal }, streamTokens };
}

/** The options of `createExecstream` for a configuration, with the parts that it names. */
export function optionsFromConfig(config: Config, logger: ErrorLogger): ExecstreamOptions {
  const { streams, limits, publisherLostMs, persistedQueries, showPayloads, auth, corsOrigins } = config;
  return {
    ...createParts(config, logger),
    auth,
    corsOrigins,
    settings: streams,
    limits,
    persistedQueries,
    logger,
    liveness: { lostAfterMs: publisherLostMs },
    workflows: {
      tenant: config.temporalTenant,
      namespaces: config.temporalNamespaces,
      lists: config.temporalLists,
      activitiesMs: config.temporalActivitiesMs,
      pollsStreams: config.pollStreams,
      ...(showPayloads && { decodePayload: createRedactingDecoder() }),
    },
  };
}
