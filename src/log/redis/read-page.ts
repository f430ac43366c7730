// Reading a log in Redis, a page at a time, and envelopes as they stand there.
import { ExecstreamError } from '../../event/errors.ts';
import type { EventData, EventType, ExecutionEvent } from '../../event/events.ts';
import type { Connection } from '../../redis/connection.ts';
import type { LogKeys } from '../../redis/keys.ts';
import type { KnownBatch, LogHead, LogPage, Numbering } from '../log.ts';
import type { ScriptedRedis } from './scripts.ts';

type Reply = [
  epoch: string,
  head: number,
  numbering: Numbering,
  attempt: number,
  end: number,
  published: 0 | 1,
  note: string,
  events: string[],
];

/** What a viewer is told as its position must be one that it can come back with. */
const CURSOR = /^\d{1,16}-[0-9a-z]{10,16}$/;

/** Reads where a log stands and up to `limit` events after a seq, both of one moment; undefined without a log. */
export async function readPage(
  connection: Connection,
  keys: LogKeys,
  executionId: string,
  after: number,
  limit: number,
): Promise<LogPage | undefined> {
  const reply = await connection.run(keys.log, (redis) =>
    (redis as ScriptedRedis).readLog(keys.log, keys.meta, after, limit),
  );
  if (reply === null) return undefined;
  const [, , , , , , , entries] = reply as Reply;
  const head = toHead(reply as Reply);
  // A number of the meta hash that is none ends the script's answer early.
  if (!Array.isArray(entries) || !isHead(head)) throw corrupt(executionId);
  const events = entries.map((entry) => {
    const event = toEvent(parse(entry), executionId);
    if (!event) throw corrupt(executionId);
    return event;
  });
  return { ...head, events };
}

/** Where a log stands; undefined where there is none. */
export async function readHead(
  connection: Connection,
  keys: LogKeys,
  executionId: string,
): Promise<LogHead | undefined> {
  const page = await readPage(connection, keys, executionId, 0, 0);
  if (!page) return undefined;
  const { events: _, ...head } = page;
  return head;
}

/** What the log remembers of a batch of this name. */
export async function readBatch(
  connection: Connection,
  { meta }: LogKeys,
  batch: string,
): Promise<KnownBatch | undefined> {
  const found = await connection.run(meta, (redis) => redis.hget(meta, `b:${batch}`));
  if (found === null) return undefined;
  const [head, digest] = found.split(' ');
  return { head: Number(head), ...(digest && { digest }) };
}

/** Where a log stands, as the scripts answer it. */
export function toHead(answer: readonly unknown[]): LogHead {
  const [epoch, head, numbering, attempt, end, published, note] = answer as Reply;
  return {
    epoch,
    head,
    numbering,
    attempt,
    end,
    hasPublisher: published === 1,
    ...(note !== '' && { note }),
  };
}

/** Makes an event of an envelope, which does not name the execution; undefined where it is none. */
export function toEvent(envelope: unknown, executionId: string): ExecutionEvent | undefined {
  const { id, seq, type, ts, attempt, data } = (envelope ?? {}) as Partial<ExecutionEvent>;
  if (typeof id !== 'string' || !CURSOR.test(id) || Number.parseInt(id, 10) !== seq) return undefined;
  if (typeof type !== 'string' || !Number.isSafeInteger(seq)) return undefined;
  if (typeof ts !== 'string' || !Number.isSafeInteger(attempt) || !isData(type, data)) return undefined;
  // In the order of the protocol's envelope: what is encoded from it looks like its tables.
  return { id, seq, type, ts, executionId, attempt, data } as ExecutionEvent;
}

function isHead({ epoch, head, attempt, end }: LogHead): boolean {
  return CURSOR.test(`${head}-${epoch}`) && [attempt, end].every((n) => Number.isSafeInteger(n) && n >= 0);
}

/** Whether data can be told to viewers: the two types whose data is looked into on the way must have what is looked for. */
function isData(type: EventType, data: unknown): boolean {
  if (typeof data !== 'object' || data === null) return false;
  if (type === 'llm_chunk') return typeof (data as EventData['llm_chunk']).content === 'string';
  if (type !== 'structured_delta') return true;
  const { patch } = data as Partial<EventData['structured_delta']>;
  return Array.isArray(patch) && patch.every((operation) => typeof operation?.path === 'string');
}

/** Another client of Redis has written to the log's key. Viewers wait, and continue once it is repaired. */
function corrupt(executionId: string): ExecstreamError {
  return new ExecstreamError(
    'LOG_CORRUPT',
    `log of ${executionId} is corrupt: an entry is not a valid event`,
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
