// Settings of the server and of the parts behind it.
import { DEFAULT_STREAM_SETTINGS } from '../../sse/stream-settings.ts';
import { checkOrigins } from '../cors-origins.ts';
import {
  type Description,
  integer,
  listOf,
  oneOf,
  onOff,
  optionalText,
  optionalUrl,
  type Setting,
  text,
} from './env.ts';

const DAY_MS = 24 * 60 * 60 * 1_000;

export const SERVER_SETTINGS = {
  port: integer('PORT', {
    flag: 'port',
    default: 4000,
    min: 0,
    max: 65_535,
    doc: 'The port to listen on; 0 selects a free one.',
  }),
  host: text('HOST', {
    flag: 'address',
    default: '127.0.0.1',
    doc: 'The address to listen on. Any but a loopback address requires [authentication](docs/authentication.md).',
  }),
  databaseUrl: optionalUrl('DATABASE_URL', {
    flag: 'url',
    protocols: ['postgres:', 'postgresql:'],
    unset: 'PGlite in `DATA_DIR`',
    doc: 'Postgres, which stores executions.',
  }),
  dataDir: text('DATA_DIR', {
    flag: 'folder',
    default: '.data',
    doc: 'The folder for files of embedded parts; one server per folder.',
  }),
  redisUrl: optionalText('REDIS_URL', {
    flag: 'url',
    unset: 'memory',
    doc: 'Redis 7 or newer, which stores the log: [a single node, Sentinel or a cluster](docs/redis.md).',
  }),
  redisPrefix: optionalText('REDIS_PREFIX', {
    flag: 'prefix',
    unset: 'none',
    doc: 'The prefix of every key and channel; without braces.',
  }),
  redisWaitReplicas: integer('REDIS_WAIT_REPLICAS', {
    default: 0,
    min: 0,
    max: 100,
    doc: 'How many replicas must have received an event [before it is acknowledged](docs/redis.md).',
  }),
  corsOrigins: originsOf('CORS_ORIGINS', {
    flag: 'origins',
    doc:
      'Origins of other sites whose pages may use the server, such as `https://app.example.com`, separated by' +
      ' commas; `*` allows all.',
  }),
  drainMs: integer('DRAIN_MS', {
    flag: 'ms',
    default: 5_000,
    min: 0,
    max: 600_000,
    doc: 'A stopping server rotates its streams within this time.',
  }),
  publisherLostMs: integer('PUBLISHER_LOST_MS', {
    default: 300_000,
    min: 1_000,
    max: DAY_MS,
    doc:
      'An execution without a heartbeat of its publisher for this time ends as FAILED' +
      ' ([`PUBLISHER_LOST`](docs/publishing.md)). Publishers send one every 10 s; values below 25000 may' +
      ' end live executions.',
  }),
  persistedQueries: oneOf('PERSISTED_QUERIES', {
    default: 'off',
    choices: ['off', 'automatic'],
    doc:
      '`automatic`: a server stores GraphQL documents by their hash, so that clients can send the hash alone' +
      ' ([persisted queries](docs/graphql.md#persisted-queries)).',
  }),
  logLevel: oneOf('LOG_LEVEL', {
    flag: 'level',
    default: 'info',
    choices: ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'],
    doc: '`fatal`, `error`, `warn`, `info`, `debug`, `trace` or `silent`.',
  }),
};

function originsOf(name: string, description: Description): Setting<readonly string[]> {
  const list = listOf(name, description);
  return { ...list, read: (env) => checkOrigins(name, list.read(env)) };
}

export const STREAM_SETTINGS = {
  heartbeatMs: integer('HEARTBEAT_MS', {
    flag: 'ms',
    default: DEFAULT_STREAM_SETTINGS.heartbeatMs,
    min: 100,
    max: 600_000,
    doc: 'A comment is sent on a stream that has been idle for this time.',
  }),
  lifetimeMs: integer('LIFETIME_MS', {
    default: DEFAULT_STREAM_SETTINGS.lifetimeMs,
    min: 1_000,
    max: DAY_MS,
    doc: 'Connections are rotated after 80 to 100 % of this time.',
  }),
  directWrites: onOff('DIRECT_WRITES', {
    default: DEFAULT_STREAM_SETTINGS.directWrites !== false,
    doc: "`off` writes streams through Node's own stream classes: the same bytes at a higher cost.",
  }),
};
