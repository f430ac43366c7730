// ioredis clients as a link (link.ts) needs them: they queue nothing, resend nothing and reconnect forever.
import { Redis, type RedisOptions } from 'ioredis';
import { backoff } from '../async/backoff.ts';

const FIRST_RECONNECT_MS = 100;
const MAX_RECONNECT_MS = 2_000;
/** How long a connection may take to close before it is destroyed. */
export const DISCONNECT_TIMEOUT_MS = 200;
/** How long one Sentinel may take to name the master before the next one is tried. */
const SENTINEL_TIMEOUT_MS = 1_000;

/** The delay in ms before a number of reconnection attempts in a row, from 1. */
export type ReconnectDelay = (attempts: number) => number;

/**
 * The delays grow to 2 s, but to no more than half the timeout of a call: a call that starts when Redis is back then
 * sees a reconnection before it times out.
 */
export function reconnectDelay(timeoutMs: number): ReconnectDelay {
  const policy = { firstMs: FIRST_RECONNECT_MS, maxMs: Math.min(MAX_RECONNECT_MS, timeoutMs / 2) };
  return (attempts) => backoff(policy, attempts);
}

/**
 * Creates a client, which starts to connect.
 * @param target a URL, or ioredis' options (Sentinel included)
 * @param name what CLIENT LIST shows, unless the options have a `connectionName`
 */
export function createRedisClient(target: string | RedisOptions, name: string, timeoutMs: number): Redis {
  const userOptions = typeof target === 'string' ? {} : target;
  const delayMs = reconnectDelay(timeoutMs);
  const options: RedisOptions = {
    ...userOptions,
    connectionName: userOptions.connectionName ?? name,
    keyPrefix: '', // ioredis would add it to keys, but not to channels.
    connectTimeout: timeoutMs,
    disconnectTimeout: DISCONNECT_TIMEOUT_MS,
    keepAlive: 10_000,
    enableAutoPipelining: false, // Measured slower.
    enableOfflineQueue: false,
    // Together: commands that were sent on a connection that broke fail immediately, and are never resent.
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    // ioredis forgets subscriptions when a connection breaks while it resubscribes; `prepare` resubscribes instead.
    autoResubscribe: false,
    maxLoadingRetryTime: 500,
    disableClientInfo: true,
    retryStrategy: delayMs,
    // After a failover this node is a replica; a new connection finds the new master.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
    sentinelRetryStrategy: delayMs,
    sentinelCommandTimeout: SENTINEL_TIMEOUT_MS,
    // Leave a master that hangs, or that only the Sentinels cannot reach, as soon as they have promoted another one.
    failoverDetector: true,
    sentinelReconnectStrategy: delayMs,
  };
  return typeof target === 'string' ? new Redis(target, options) : new Redis(options);
}
