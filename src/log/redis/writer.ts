// Appending to logs in Redis: all that a worker needs, and nothing that loads GraphQL.

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
  /** Stands before all keys and channels; no braces. Default: none. */
  readonly prefix?: string;
  /** How much of a log is kept; what is left out stands at its default. All writers should name the same. */
  readonly bounds?: Partial<LogBounds>;
  /**
   * How many replicas must have what was appended before that is acknowledged, so that it survives the loss of the
   * master; 0, the default, acknowledges what the master has. Where fewer have it in time, an append rejects with
   * `SOURCE_UNAVAILABLE`; sent again under its batch's name, it is not appended twice.
   */
  readonly waitReplicas?: number;
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
    ping: () => connection.ping(),
    close: () => connection.close(),
  };
}

/** The writer's methods on a connection that its caller owns. */
export function createWriter(connection: Connection, options: RedisLogWriterOptions): LogWriter {
  defineScripts(connection);
  const { prefix = '' } = options;
  const bounds = { ...DEFAULT_BOUNDS, ...options.bounds };
  const replicated = createReplication(options.waitReplicas ?? 0, timeoutOf(options));

  /** Runs a script; where it did what was asked for, it is answered when the replicas have that too. */
  async function run(script: 'openLog' | 'appendToLog', keys: LogKeys, sent: (string | number)[]) {
    const { log, meta, channel } = keys;
    const { maxEvents, maxBytes, keepEndedMs } = bounds;
    const all = [log, meta, channel, maxEvents, maxBytes, keepEndedMs, ...sent];
    return connection.run(log, async (redis) => {
      const reply = (await (redis as ScriptedRedis)[script](...all)) as Reply;
      if (reply[0] === 'opened' || reply[0] === 'appended') await replicated(redis);
      return reply;
    });
  }

  async function open(executionId: string, request: OpenRequest): Promise<OpenResult> {
    const sent = [newEpoch(), ...openArguments(request)];
    return openResult(await run('openLog', logKeys(prefix, executionId), sent));
  }

  async function append(executionId: string, request: AppendRequest): Promise<AppendResult> {
    return appendResult(await run('appendToLog', logKeys(prefix, executionId), appendArguments(request)));
  }

  const head = (executionId: string) => readHead(connection, logKeys(prefix, executionId), executionId);
  return { open, append, head, ...createLivenessWriter(connection, prefix) };
}

function openArguments(request: OpenRequest): (string | number)[] {
  const { numbering, publisher, attempt, fence, lost, takeoverCursor: takesAt } = request;
  return [
    numbering,
    publisher ?? '',
    attempt,
    fence ?? '',
    lost?.epoch ?? '',
    // Infinity is no number that Lua reads alike everywhere.
    Math.min(lost?.acknowledged ?? 0, Number.MAX_SAFE_INTEGER),
    JSON.stringify(timestamp()),
    takesAt ?? '',
  ];
}

function appendArguments(request: AppendRequest): (string | number)[] {
  const { epoch, acknowledged, publisher = '', fence = '', attempt = '', batch = '', note = '' } = request;
  const { batchDigest, events } = request;
  const named = batchDigest === undefined ? batch : `${batch} ${batchDigest}`;
  const first = checkBatch(events) ?? '';
  const sent = [epoch, acknowledged, publisher, fence, attempt, named, first, note];
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
      return { outcome, head: toHead(rest), isNewEpoch: rest[7] === 1 };
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

function appendResult([outcome, detail]: Reply): AppendResult {
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
