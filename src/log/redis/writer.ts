// Appending to logs in Redis: what a worker needs, without loading GraphQL.

import type { LivenessWriter } from '../../coordination/liveness.ts';
import { createLivenessWriter } from '../../coordination/redis-liveness.ts';
import { newEpoch } from '../../event/cursor.ts';
import { timestamp } from '../../event/events.ts';
import { type Connection, type ConnectOptions, connect, timeoutOf } from '../../redis/connection.ts';
import { type LogKeys, logKeys } from '../../redis/keys.ts';
import { checkBatch } from '../append-batch.ts';
import {
  type AppendRequest,
  type AppendResult,
  DEFAULT_BOUNDS,
  type LogBounds,
  type LogWriter,
  type Numbering,
  type OpenRequest,
  type OpenResult,
} from '../log.ts';
import { readHead, toHead } from './read-page.ts';
import { createReplication } from './replication.ts';
import { defineScripts, type ScriptedRedis } from './scripts.ts';

export interface RedisLogWriterOptions extends ConnectOptions {
  /**
   * Prefix of all keys and channels, without braces.
   * @default ''
   */
  readonly prefix?: string;
  /**
   * How much of a log is kept. All writers should have the same.
   * @default 50,000 events, 32 MiB, 1 h after the end
   */
  readonly bounds?: Partial<LogBounds>;
  /**
   * How many replicas must have received an append before it is acknowledged, so that it survives the loss of the
   * master; 0 acknowledges what the master has. Where fewer replicas have it in time, the append rejects with
   * `SOURCE_UNAVAILABLE`; resent with the same batch name, it is not appended twice.
   * @default 0
   */
  readonly waitReplicas?: number;
}

/** A log that can be appended to, but not read or listened to. */
export interface ClosableLogWriter extends LogWriter, LivenessWriter, AsyncDisposable {
  /** Rejects with `SOURCE_UNAVAILABLE` and the reason if Redis does not accept appends. */
  ping(): Promise<void>;
  /** `await using` calls this. */
  close(): Promise<void>;
}

/** Creates a writer for workers. Returns immediately, even if Redis cannot be reached. */
export function createRedisLogWriter(options: RedisLogWriterOptions): ClosableLogWriter {
  const connection = connect(options, 'execstream-log');
  const close = () => connection.close();
  return {
    ...createWriter(connection, options),
    ping: () => connection.checkWrites(options.prefix ?? ''),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Creates the writer's methods on a connection that the caller owns. */
export function createWriter(
  connection: Connection,
  options: RedisLogWriterOptions,
): LogWriter & LivenessWriter {
  defineScripts(connection);
  const { prefix = '' } = options;
  const bounds = { ...DEFAULT_BOUNDS, ...options.bounds };
  const waitForReplicas = createReplication(options.waitReplicas ?? 0, timeoutOf(options));

  /** Runs a script. If it has written, this resolves when the replicas have received that too. */
  async function run(script: 'openLog' | 'appendToLog', keys: LogKeys, args: (string | number)[]) {
    const { log, meta, channel } = keys;
    const { maxEvents, maxBytes, keepEndedMs } = bounds;
    const all = [log, meta, channel, maxEvents, maxBytes, keepEndedMs, ...args];
    return connection.run(log, async (redis) => {
      const reply = (await (redis as ScriptedRedis)[script](...all)) as Reply;
      if (reply[0] === 'opened' || reply[0] === 'appended') await waitForReplicas(redis);
      return reply;
    });
  }

  async function open(executionId: string, request: OpenRequest): Promise<OpenResult> {
    const args = [newEpoch(), ...openArguments(request)];
    return toOpenResult(await run('openLog', logKeys(prefix, executionId), args));
  }

  async function append(executionId: string, request: AppendRequest): Promise<AppendResult> {
    return toAppendResult(await run('appendToLog', logKeys(prefix, executionId), appendArguments(request)));
  }

  const head = (executionId: string) => readHead(connection, logKeys(prefix, executionId), executionId);
  return { open, append, head, ...createLivenessWriter(connection, prefix) };
}

function openArguments(request: OpenRequest): (string | number)[] {
  const { numbering, publisher, attempt, fence, lost, takeoverCursor, incarnation } = request;
  return [
    numbering,
    publisher ?? '',
    attempt,
    fence ?? '',
    lost?.epoch ?? '',
    // Lua's tonumber() does not read Infinity on every platform.
    Math.min(lost?.acknowledged ?? 0, Number.MAX_SAFE_INTEGER),
    JSON.stringify(timestamp()),
    takeoverCursor ?? '',
    lost?.reason ?? 'log_lost',
    incarnation ?? '',
  ];
}

function appendArguments(request: AppendRequest): (string | number)[] {
  const { epoch, acknowledged, publisher = '', fence = '', attempt = '', batch = '', note = '' } = request;
  const { batchDigest, events } = request;
  const batchField = batchDigest === undefined ? batch : `${batch} ${batchDigest}`;
  const first = checkBatch(events) ?? '';
  const args = [epoch, acknowledged, publisher, fence, attempt, batchField, first, note];
  for (const { type, ts, data } of events) {
    args.push(JSON.stringify(type), JSON.stringify(ts), JSON.stringify(data));
  }
  return args;
}

/** The reply of a script: the outcome and its details, in the script's order. */
type Reply = [string, ...(string | number)[]];

function toOpenResult([outcome, ...rest]: Reply): OpenResult {
  switch (outcome) {
    case 'opened':
      return { outcome, head: toHead(rest), isNewEpoch: rest[9] === 1 };
    case 'ended':
      return { outcome, head: toHead(rest) };
    case 'superseded':
      return { outcome, attempt: rest[0] as number };
    case 'wrong-numbering':
      return { outcome, numbering: rest[0] as Numbering };
    default:
      return { outcome: 'fenced' };
  }
}

function toAppendResult([outcome, detail]: Reply): AppendResult {
  switch (outcome) {
    case 'appended':
    case 'gap':
      return { outcome, head: detail as number };
    case 'ended':
      return { outcome, end: detail as number };
    case 'superseded':
      return { outcome, attempt: detail as number };
    case 'conflict':
      return { outcome, seq: detail as number };
    case 'wrong-numbering':
      return { outcome, numbering: detail as Numbering };
    case 'fenced':
    case 'batch-reused':
      return { outcome };
    default:
      return { outcome: 'lost' };
  }
}
