// Configuration: the only file that reads the environment.
import { messageOf } from '../../event/error-message.ts';
import { parseRedisUrl } from '../../redis/url.ts';
import { DEFAULT_STREAM_SETTINGS, type EventStreamSettings } from '../../sse/stream-settings.ts';
import type { TemporalAddress } from '../../temporal/source/connection-settings.ts';
import type { JwtOptions } from '../auth/jwt.ts';
import { requireLoopback } from '../auth/loopback.ts';
import type { Limits } from '../limits.ts';
import { AUTH_SETTINGS, readAuthentication } from './auth-settings.ts';
import { type Environment, invalid, readAll, readSettings } from './env.ts';
import { LIMIT_SETTINGS, STREAM_LIMIT_SETTINGS } from './limit-settings.ts';
import { SERVER_SETTINGS, STREAM_SETTINGS } from './server-settings.ts';
import { readNamespaces, readTemporal, TEMPORAL_SETTINGS } from './temporal-settings.ts';

export interface Config {
  /** @default '127.0.0.1' */
  readonly host: string;
  /**
   * 0 selects a free port.
   * @default 4000
   */
  readonly port: number;
  /**
   * The folder for files of embedded parts.
   * @default '.data'
   */
  readonly dataDir: string;
  /** Postgres; undefined: PGlite in `dataDir`. */
  readonly databaseUrl: string | undefined;
  /** Redis, Sentinel or a cluster (docs/redis.md); undefined: a log in the memory of this process. */
  readonly redisUrl: string | undefined;
  /**
   * The prefix of every Redis key and channel.
   * @default ''
   */
  readonly redisPrefix: string;
  /**
   * How many replicas must have received an event before it is acknowledged.
   * @default 0
   */
  readonly redisWaitReplicas: number;
  /** Temporal, whose workflows are watched; undefined: none. */
  readonly temporal: TemporalAddress | undefined;
  /** The tenant that owns the workflows of that Temporal; undefined: callers without a tenant. */
  readonly temporalTenant: string | undefined;
  /** Namespaces of Temporal that are watched beside the default one. */
  readonly temporalNamespaces: readonly string[];
  /** Whether lists contain workflows that nobody has viewed. */
  readonly temporalLists: boolean;
  /** Whether inputs, results and heartbeats of workflows that do not use execstream are shown. */
  readonly showPayloads: boolean;
  /** Whether Workflow Streams are polled for the items that workflows publish themselves. */
  readonly pollStreams: boolean;
  /**
   * How often a workflow is described while activities of it are in flight, in ms; 0: never.
   * @default 5_000
   */
  readonly temporalActivitiesMs: number;
  /** How callers are authenticated; undefined: every caller is anonymous. */
  readonly auth: JwtOptions | undefined;
  /**
   * Lifetime of a stream token.
   * @default 3_600_000
   */
  readonly sessionMs: number;
  /**
   * Claims of a JWT that its stream tokens keep, for an embedder's policy.
   * @default []
   */
  readonly policyClaims: readonly string[];
  /**
   * Origins of other sites whose pages may read streams.
   * @default []
   */
  readonly corsOrigins: readonly string[];
  readonly streams: EventStreamSettings;
  readonly limits: Limits;
  /**
   * Within how many ms a stopping server rotates its streams.
   * @default 5_000
   */
  readonly drainMs: number;
  /**
   * After how many ms without a heartbeat of its publisher an execution ends as FAILED.
   * @default 300_000
   */
  readonly publisherLostMs: number;
  /**
   * Whether clients may send the hash of a GraphQL document in its place.
   * @default 'off'
   */
  readonly persistedQueries: 'off' | 'automatic';
  /** @default 'info' */
  readonly logLevel: string;
}

/**
 * Reads the configuration from environment variables (docs/configuration.md).
 * @param env `process.env` by default
 * @throws ExecstreamError `CONFIG`, with a line for each wrong variable: its name, and the expected value.
 */
export function readConfig(env: Environment = process.env): Config {
  const { server, redis, host, auth, authSettings, temporal, namespaces, temporalSettings, ...read } =
    readAll({
      server: () => readSettings(SERVER_SETTINGS, env),
      redis: () => checkRedis(env),
      host: () => checkHost(env),
      auth: () => readAuthentication(env),
      authSettings: () => readSettings(AUTH_SETTINGS, env),
      temporal: () => readTemporal(env),
      namespaces: () => readNamespaces(env),
      temporalSettings: () => readSettings(TEMPORAL_SETTINGS, env),
      streams: () => readSettings(STREAM_SETTINGS, env),
      streamLimits: () => readSettings(STREAM_LIMIT_SETTINGS, env),
      limits: () => readSettings(LIMIT_SETTINGS, env),
    });
  return {
    ...server,
    ...redis,
    host,
    temporal,
    temporalTenant: temporalSettings.tenant,
    temporalNamespaces: namespaces,
    showPayloads: temporalSettings.showPayloads,
    pollStreams: temporalSettings.pollStreams,
    temporalActivitiesMs: temporalSettings.activitiesMs,
    temporalLists: temporalSettings.lists,
    auth,
    sessionMs: authSettings.sessionMs,
    policyClaims: authSettings.policyClaims,
    streams: { retryMs: DEFAULT_STREAM_SETTINGS.retryMs, ...read.streams, ...read.streamLimits },
    limits: read.limits,
  };
}

/** The environment, overridden by the values of flags. */
export function environmentWith(flags: Environment): Environment {
  return { ...process.env, ...flags };
}

/** `listen` checks this too, but only after the parts have been started. */
function checkHost(env: Environment): string {
  const host = SERVER_SETTINGS.host.read(env);
  if (!readAuthentication(env)) requireLoopback(host);
  return host;
}

function checkRedis(env: Environment): { readonly redisPrefix: string } {
  const { redisUrl, redisPrefix, redisWaitReplicas } = SERVER_SETTINGS;
  const url = redisUrl.read(env);
  const { prefix } = readAll({
    url: () => checkRedisUrl(url),
    prefix: () => checkRedisPrefix(redisPrefix.read(env) ?? ''),
    replicas: () => {
      if (redisWaitReplicas.read(env) > 0 && !url) throw invalid('REDIS_WAIT_REPLICAS', 'requires REDIS_URL');
    },
  });
  return { redisPrefix: prefix };
}

function checkRedisUrl(url: string | undefined): void {
  try {
    if (url) parseRedisUrl(url);
  } catch (error) {
    throw invalid('REDIS_URL', messageOf(error));
  }
}

function checkRedisPrefix(prefix: string): string {
  // They would replace the braces that keep an execution's keys in one slot of a cluster.
  if (/[{}]/.test(prefix)) throw invalid('REDIS_PREFIX', 'expected a text without braces');
  return prefix;
}
