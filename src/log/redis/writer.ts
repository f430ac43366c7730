// Appending to logs in Redis: all that a worker needs, and nothing that loads GraphQL.
import { newEpoch } from '../../event/cursor.ts';
import { timestamp } from '../../event/types.ts';
import { checkBatch } from '../batch.ts';
import {
  type AppendRequest,
  type AppendResult,
  DEFAULT_BOUNDS,
  type LogBounds,
  type LogHead,
  type LogWriter,
  type Numbering,
  type OpenRequest,
  type OpenResult,
} from '../log.ts';
import { createSignsOfLife } from './alive.ts';
import { type Connection, type ConnectOptions, connect } from './connect.ts';
import { type LogKeys, logKeys } from './keys.ts';
import { readPage, toHead } from './read.ts';
import { defineScripts, type ScriptedRedis } from './scripts.ts';

export interface RedisLogWriterOptions extends ConnectOptions {
  /** Stands before all keys and channels; no braces. Default: none. */
  readonly prefix?: string;
  /** How much of a log is kept; what is left out stands at its default. All writers should name the same. */
  readonly bounds?: Partial<LogBounds>;
}

/** A log that can be written, and not read or listened to. */
export interface ClosableLogWriter extends LogWriter {
  /** Whether Redis answers: rejects with `SOURCE_UNAVAILABLE` where it does not. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** Makes a writer, for workers. Returns at once, whether Redis is there or not. */
export function createRedisLogWriter(options: RedisLogWriterOptions): ClosableLogWriter {
  const connection = connect(options, 'execstream-log');
  return {
    ...createWriter(connection, options),
    ping: async () => void (await connection.ask((redis) => redis.ping())),
    close: () => connection.close(),
  };
}

/** The writer's methods on a connection that its caller owns. */
export function createWriter(connection: Connection, options: RedisLogWriterOptions): LogWriter {
  defineScripts(connection.redis);
  const { prefix = '' } = options;
  const bounds = { ...DEFAULT_BOUNDS, ...options.bounds };

  async function open(executionId: string, request: OpenRequest): Promise<OpenResult> {
    const sent = [...common(logKeys(prefix, executionId), bounds), newEpoch(), ...openArguments(request)];
    return openResult((await connection.ask((redis) => (redis as ScriptedRedis).openLog(...sent))) as Reply);
  }

  async function append(executionId: string, request: AppendRequest): Promise<AppendResult> {
    const sent = [...common(logKeys(prefix, executionId), bounds), ...appendArguments(request)];
    return appendResult(
      (await connection.ask((redis) => (redis as ScriptedRedis).appendToLog(...sent))) as Reply,
    );
  }

  async function head(executionId: string): Promise<LogHead | undefined> {
    const page = await readPage(connection, logKeys(prefix, executionId), executionId, 0, 0);
    if (!page) return undefined;
    const { events: _, ...rest } = page;
    return rest;
  }

  return { open, append, head, ...createSignsOfLife(connection, prefix) };
}

function common(keys: LogKeys, { maxEvents, maxBytes, keepEndedMs }: LogBounds): (string | number)[] {
  return [keys.log, keys.meta, keys.channel, maxEvents, maxBytes, keepEndedMs];
}

function openArguments({ numbering, publisher, attempt, fence, lost }: OpenRequest): (string | number)[] {
  return [
    numbering,
    publisher ?? '',
    attempt,
    fence ?? '',
    lost?.epoch ?? '',
    // Infinity is no number that Lua reads alike everywhere.
    Math.min(lost?.acknowledged ?? 0, Number.MAX_SAFE_INTEGER),
    JSON.stringify(timestamp()),
  ];
}

function appendArguments(request: AppendRequest): (string | number)[] {
  const { epoch, acknowledged, publisher = '', fence = '', attempt = '', batch = '', note = '' } = request;
  const { events } = request;
  const first = checkBatch(events) ?? '';
  const sent = [epoch, acknowledged, publisher, fence, attempt, batch, first, note];
  for (const { type, ts, data } of events) {
    sent.push(JSON.stringify(type), JSON.stringify(ts), JSON.stringify(data));
  }
  return sent;
}

/** What a script answers: the outcome and its details, in the order in which the script names them. */
type Reply = [string, ...(string | number)[]];

function openResult([outcome, ...rest]: Reply): OpenResult {
  switch (outcome) {
    case 'opened':
      return { outcome, head: toHead(rest), fresh: rest[7] === 1 };
    case 'ended':
      return { outcome, head: toHead(rest) };
    case 'superseded':
      return { outcome, attempt: rest[0] as number };
    case 'misnumbered':
      return { outcome, numbering: rest[0] as Numbering };
    default:
      return { outcome: 'fenced' };
  }
}

function appendResult([outcome, detail]: Reply): AppendResult {
  switch (outcome) {
    case 'appended':
    case 'ahead':
      return { outcome, head: detail as number };
    case 'ended':
      return { outcome, end: detail as number };
    case 'superseded':
      return { outcome, attempt: detail as number };
    case 'conflict':
      return { outcome, seq: detail as number };
    case 'misnumbered':
      return { outcome, numbering: detail as Numbering };
    case 'fenced':
      return { outcome };
    default:
      return { outcome: 'lost' };
  }
}
