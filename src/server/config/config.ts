// Configuration: the one place where the environment is read, and where each value is checked.
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { messageOf } from '../../event/errors.ts';
import { parseRedisUrl } from '../../redis/url.ts';
import type { EventStreamSettings } from '../../sse/event-stream.ts';
import { DEFAULT_STREAM_SETTINGS } from '../../sse/event-streams.ts';
import type { TemporalSettings } from '../../temporal/source/temporal-client.ts';
import { type JwtOptions, LEAST_KEY_BYTES } from '../auth/jwt.ts';
import { isSecureUrl, requireLoopback } from '../auth/loopback.ts';
import { DEFAULT_LIMITS, type Limits } from '../limits.ts';
import { integer, invalid, list, oneOf, url } from './env.ts';

export interface Config {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  /** Where embedded parts keep their files. */
  readonly dataDir: string;
  /** Postgres; embedded (PGlite) where absent. */
  readonly databaseUrl: string | undefined;
  /** Redis, Sentinel or a cluster (docs/redis.md); in memory, for this one process, where absent. */
  readonly redisUrl: string | undefined;
  /** Before every Redis key and channel. */
  readonly redisPrefix: string;
  /** How many replicas must have an event before it is acknowledged. */
  readonly redisWaitReplicas: number;
  /** Temporal, whose workflows can be watched; none where absent. */
  readonly temporal: TemporalSettings | undefined;
  /** Whose the workflows of that Temporal are; those of callers without a tenant where absent. */
  readonly temporalTenant: string | undefined;
  /** How callers are known; not at all where absent. */
  readonly auth: JwtOptions | undefined;
  /** How long a stream token serves; an hour where absent. */
  readonly sessionMs: number | undefined;
  /** Claims of a JWT that its stream tokens keep, for an embedder's policy; none by default. */
  readonly policyClaims: readonly string[] | undefined;
  /** Origins of other sites whose pages may read streams; none by default. */
  readonly corsOrigins: readonly string[];
  readonly streams: EventStreamSettings;
  readonly limits: Limits;
  /** Within how many ms a server that stops has rotated its streams. */
  readonly drainMs: number;
  /** After how long without a sign of life from its publisher an execution is ended as FAILED. */
  readonly publisherLostMs: number;
  readonly logLevel: string;
}

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'];

/**
 * Reads the configuration.
 * @param env `process.env` by default
 * @throws ExecstreamError `BAD_USER_INPUT`, naming the variable and what was wrong with it.
 */
export function readConfig(env: NodeJS.ProcessEnv = process.env): Config {
  const host = env.HOST || '127.0.0.1';
  const auth = authentication(env);
  // Here too, before any part is started.
  if (!auth) requireLoopback(host);
  return {
    host,
    port: integer(env, 'PORT', 4000, 0, 65_535),
    dataDir: env.DATA_DIR || '.data',
    databaseUrl: url(env, 'DATABASE_URL', ['postgres:', 'postgresql:']),
    ...redis(env),
    temporal: temporal(env),
    temporalTenant: env.TEMPORAL_TENANT || undefined,
    auth,
    sessionMs: env.AUTH_SESSION_MS ? integer(env, 'AUTH_SESSION_MS', 0, 1_000, 86_400_000) : undefined,
    policyClaims: env.AUTH_POLICY_CLAIMS ? list(env, 'AUTH_POLICY_CLAIMS') : undefined,
    corsOrigins: list(env, 'CORS_ORIGINS'),
    streams: streams(env),
    limits: limits(env),
    drainMs: integer(env, 'DRAIN_MS', 5_000, 0, 600_000),
    publisherLostMs: integer(env, 'PUBLISHER_LOST_MS', 300_000, 1_000, 86_400_000),
    logLevel: oneOf(env, 'LOG_LEVEL', 'info', LOG_LEVELS),
  };
}

function streams(env: NodeJS.ProcessEnv): EventStreamSettings {
  const { retryMs, heartbeatMs, lifetimeMs, stalledMs, bytesPerSecond } = DEFAULT_STREAM_SETTINGS;
  return {
    retryMs,
    heartbeatMs: integer(env, 'HEARTBEAT_MS', heartbeatMs, 100, 600_000),
    lifetimeMs: integer(env, 'LIFETIME_MS', lifetimeMs, 1_000, 86_400_000),
    stalledMs: integer(env, 'STALLED_MS', stalledMs, 1_000, 86_400_000),
    bytesPerSecond: integer(env, 'STREAM_BYTES_PER_SECOND', bytesPerSecond, 65_536, 999_999_999),
    directWrites: oneOf(env, 'DIRECT_WRITES', 'on', ['on', 'off']) === 'on',
  };
}

function limits(env: NodeJS.ProcessEnv): Limits {
  const { streams: stream, query, documents, quotas, ...others } = DEFAULT_LIMITS;
  const { reservationsPerCaller: reservations, streamTokensPerCaller: streamTokens } = others;
  return {
    streams: {
      perNode: integer(env, 'MAX_STREAMS', stream.perNode, 1, 1_000_000),
      perCaller: integer(env, 'MAX_STREAMS_PER_CALLER', stream.perCaller, 1, 1_000_000),
      newPerSecond: integer(env, 'MAX_NEW_STREAMS_PER_SECOND', stream.newPerSecond, 1, 1_000_000),
    },
    query: {
      depth: integer(env, 'MAX_QUERY_DEPTH', query.depth, 1, 1_000),
      aliases: integer(env, 'MAX_QUERY_ALIASES', query.aliases, 0, 1_000_000),
      tokens: integer(env, 'MAX_QUERY_TOKENS', query.tokens, 10, 1_000_000),
      cost: integer(env, 'MAX_QUERY_COST', query.cost, 1, 999_999_999),
      executions: integer(env, 'MAX_QUERY_EXECUTIONS', query.executions, 1, 1_000_000),
      contentBytes: integer(env, 'MAX_QUERY_CONTENT_BYTES', query.contentBytes, 1_024, 999_999_999),
      timeoutMs: integer(env, 'QUERY_TIMEOUT_MS', query.timeoutMs, 100, 600_000),
      operationsPerCaller: integer(env, 'MAX_QUERIES_PER_CALLER', query.operationsPerCaller, 1, 1_000),
      reads: integer(env, 'MAX_QUERY_READS', query.reads, 1, 1_000),
      readsPerCaller: integer(env, 'MAX_QUERY_READS_PER_CALLER', query.readsPerCaller, 1, 1_000),
    },
    documents: {
      perExecution: integer(env, 'MAX_DOCUMENTS_PER_EXECUTION', documents.perExecution, 1, 1_000_000),
      perCaller: integer(env, 'MAX_DOCUMENTS_PER_CALLER', documents.perCaller, 1, 1_000_000),
    },
    quotas: {
      queries: integer(env, 'MAX_QUERIES_PER_SECOND', quotas.queries, 1, 1_000_000),
      begins: integer(env, 'MAX_BEGINS_PER_SECOND', quotas.begins, 1, 1_000_000),
      batches: integer(env, 'MAX_BATCHES_PER_SECOND', quotas.batches, 1, 1_000_000),
      streamTokens: integer(env, 'MAX_NEW_STREAM_TOKENS_PER_SECOND', quotas.streamTokens, 1, 1_000_000),
      reservations: integer(env, 'MAX_NEW_RESERVATIONS_PER_SECOND', quotas.reservations, 1, 1_000_000),
    },
    reservationsPerCaller: integer(env, 'MAX_RESERVATIONS_PER_CALLER', reservations, 1, 1_000_000),
    streamTokensPerCaller: integer(env, 'MAX_STREAM_TOKENS_PER_CALLER', streamTokens, 1, 1_000_000),
    maxBodyBytes: integer(env, 'MAX_BODY_BYTES', others.maxBodyBytes, 1_024, 100_000_000),
    maxHeaderBytes: integer(env, 'MAX_HEADER_BYTES', others.maxHeaderBytes, 2_048, 1_048_576),
    requestTimeoutMs: integer(env, 'REQUEST_TIMEOUT_MS', others.requestTimeoutMs, 1_000, 600_000),
    maxPipelined: integer(env, 'MAX_PIPELINED_REQUESTS', others.maxPipelined, 1, 1_000),
  };
}

function redis(env: NodeJS.ProcessEnv): Pick<Config, 'redisUrl' | 'redisPrefix' | 'redisWaitReplicas'> {
  const redisUrl = env.REDIS_URL || undefined;
  const redisPrefix = env.REDIS_PREFIX ?? '';
  const redisWaitReplicas = integer(env, 'REDIS_WAIT_REPLICAS', 0, 0, 100);
  try {
    if (redisUrl) parseRedisUrl(redisUrl);
  } catch (error) {
    throw invalid('REDIS_URL', messageOf(error));
  }
  // They would take the place of the braces that keep an execution's keys in one slot.
  if (/[{}]/.test(redisPrefix)) throw invalid('REDIS_PREFIX', 'expected a text without braces');
  if (redisWaitReplicas > 0 && !redisUrl)
    throw invalid('REDIS_WAIT_REPLICAS', 'expected REDIS_URL beside it');
  return { redisUrl, redisPrefix, redisWaitReplicas };
}

/**
 * Temporal as its own tools are configured: `TEMPORAL_ADDRESS`, `TEMPORAL_NAMESPACE`, `TEMPORAL_API_KEY`,
 * `TEMPORAL_TLS…`, and a profile of a file where `TEMPORAL_CONFIG_FILE` or `TEMPORAL_PROFILE` names one.
 */
function temporal(env: NodeJS.ProcessEnv): TemporalSettings | undefined {
  if (!env.TEMPORAL_ADDRESS) return undefined;
  const given = Object.entries(env).filter(([, value]) => value) as [string, string][];
  // Without being asked for, a file in somebody's home is not read.
  const disableFile = !env.TEMPORAL_CONFIG_FILE && !env.TEMPORAL_PROFILE;
  try {
    const loaded = loadClientConnectConfig({ overrideEnvVars: Object.fromEntries(given), disableFile });
    const { tls, apiKey, metadata } = loaded.connectionOptions;
    return {
      address: env.TEMPORAL_ADDRESS,
      namespace: loaded.namespace || 'default',
      ...(tls && { tls }),
      ...(typeof apiKey === 'string' && { apiKey }),
      ...(metadata && Object.keys(metadata).length > 0 && { metadata: metadata as Record<string, string> }),
    };
  } catch (error) {
    throw invalid('TEMPORAL_ADDRESS', `Temporal is not configured right: ${messageOf(error)}`);
  }
}

function authentication(env: NodeJS.ProcessEnv): JwtOptions | undefined {
  const jwksUrl = url(env, 'AUTH_JWKS_URL', ['https:', 'http:']);
  const shared = env.AUTH_SHARED_KEY || undefined;
  const issuer = env.AUTH_ISSUER || undefined;
  const audience = env.AUTH_AUDIENCE || undefined;
  if (jwksUrl && !isSecureUrl(jwksUrl)) {
    throw invalid(
      'AUTH_JWKS_URL',
      'expected https:// (http:// only to a loopback host): keys can be replaced on the way',
    );
  }
  if (jwksUrl && shared) throw invalid('AUTH_SHARED_KEY', 'expected none beside AUTH_JWKS_URL');
  if (shared && Buffer.byteLength(shared) < LEAST_KEY_BYTES) {
    throw invalid('AUTH_SHARED_KEY', `expected at least ${LEAST_KEY_BYTES} bytes`);
  }
  // The keys of an identity provider sign what is meant for other services too.
  if (jwksUrl && !issuer)
    throw invalid('AUTH_ISSUER', 'expected the issuer of the tokens, with AUTH_JWKS_URL');
  if (jwksUrl && !audience)
    throw invalid('AUTH_AUDIENCE', 'expected whom tokens are for, with AUTH_JWKS_URL');
  const key = jwksUrl ? { jwksUrl } : shared ? { shared } : undefined;
  // Whoever sets one of the others does not expect that nobody is asked who they are.
  const stray = NOT_ALONE.find((name) => env[name]);
  if (!key && stray) throw invalid(stray, 'expected AUTH_JWKS_URL or AUTH_SHARED_KEY beside it');
  return (
    key && {
      key,
      issuer,
      audience,
      clockSkewSeconds: integer(env, 'AUTH_CLOCK_SKEW_SECONDS', 30, 0, 600),
      tenantClaim: env.AUTH_TENANT_CLAIM || undefined,
      executionsClaim: env.AUTH_EXECUTIONS_CLAIM || undefined,
    }
  );
}

/** What says nothing without a key. */
const NOT_ALONE = [
  ...['AUTH_ISSUER', 'AUTH_AUDIENCE', 'AUTH_CLOCK_SKEW_SECONDS'],
  ...['AUTH_TENANT_CLAIM', 'AUTH_EXECUTIONS_CLAIM', 'AUTH_POLICY_CLAIMS'],
];
