// Configuration: the one place where the environment is read, and where each value is checked.
import { ExecstreamError } from '../event/error.ts';

export interface Config {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  /** Where embedded parts keep their files. */
  readonly dataDir: string;
  /** Postgres; embedded (PGlite) where absent. */
  readonly databaseUrl: string | undefined;
  /** Redis; in memory, for this one process, where absent. */
  readonly redisUrl: string | undefined;
  /** Before every Redis key and channel. */
  readonly redisPrefix: string;
  /** Origins of other sites whose pages may read streams; none by default. */
  readonly corsOrigins: readonly string[];
  readonly heartbeatMs: number;
  readonly lifetimeMs: number;
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
  return {
    host: env.HOST || '127.0.0.1',
    port: whole(env, 'PORT', 4000, 0, 65_535),
    dataDir: env.DATA_DIR || '.data',
    databaseUrl: url(env, 'DATABASE_URL', ['postgres:', 'postgresql:']),
    redisUrl: url(env, 'REDIS_URL', ['redis:', 'rediss:']),
    redisPrefix: env.REDIS_PREFIX ?? '',
    corsOrigins: (env.CORS_ORIGINS ?? '').split(',').flatMap((origin) => origin.trim() || []),
    heartbeatMs: whole(env, 'HEARTBEAT_MS', 15_000, 100, 600_000),
    lifetimeMs: whole(env, 'LIFETIME_MS', 600_000, 1_000, 86_400_000),
    publisherLostMs: whole(env, 'PUBLISHER_LOST_MS', 300_000, 1_000, 86_400_000),
    logLevel: oneOf(env, 'LOG_LEVEL', 'info', LOG_LEVELS),
  };
}

function whole(env: NodeJS.ProcessEnv, name: string, fallback: number, least: number, most: number): number {
  const text = env[name];
  if (!text) return fallback;
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= least && value <= most)) throw wrong(name, `expected ${least} to ${most}, not "${text}"`);
  return value;
}

function url(env: NodeJS.ProcessEnv, name: string, protocols: readonly string[]): string | undefined {
  const text = env[name];
  if (!text) return undefined;
  // The value is not shown: it may hold a password.
  if (!URL.canParse(text) || !protocols.includes(new URL(text).protocol)) {
    throw wrong(name, `expected a URL that begins with ${protocols.map((p) => `${p}//`).join(' or ')}`);
  }
  return text;
}

function oneOf(env: NodeJS.ProcessEnv, name: string, fallback: string, known: readonly string[]): string {
  const text = env[name] || fallback;
  if (!known.includes(text)) throw wrong(name, `expected one of ${known.join(', ')}, not "${text}"`);
  return text;
}

function wrong(name: string, what: string): ExecstreamError {
  return new ExecstreamError('BAD_USER_INPUT', `${name}: ${what}`);
}
