// Reading a log in Redis, a page at a time, and envelopes as they stand there.
import { ExecstreamError } from '../../event/error.ts';
import type { ExecutionEvent } from '../../event/types.ts';
import type { LogHead, LogPage, Numbering } from '../log.ts';
import type { Connection } from './connect.ts';
import type { LogKeys } from './keys.ts';
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

/** Reads where a log stands and up to `limit` events after a seq, both of one moment; undefined without a log. */
export async function readPage(
  connection: Connection,
  keys: LogKeys,
  executionId: string,
  after: number,
  limit: number,
): Promise<LogPage | undefined> {
  const reply = await connection.ask((redis) =>
    (redis as ScriptedRedis).readLog(keys.log, keys.meta, after, limit),
  );
  if (reply === null) return undefined;
  const [, , , , , , , entries] = reply as Reply;
  const events = entries.map((entry) => {
    const event = toEvent(parse(entry), executionId);
    if (!event) throw new ExecstreamError('INTERNAL', `the log of ${executionId} holds what is no event`);
    return event;
  });
  return { ...toHead(reply as Reply), events };
}

/** Where a log stands, as the scripts answer it. */
export function toHead(answer: readonly unknown[]): LogHead {
  const [epoch, head, numbering, attempt, end, published, note] = answer as Reply;
  return { epoch, head, numbering, attempt, end, published: published === 1, ...(note !== '' && { note }) };
}

/** Makes an event of an envelope, which does not name the execution; undefined where it is none. */
export function toEvent(envelope: unknown, executionId: string): ExecutionEvent | undefined {
  const { id, seq, type, ts, attempt, data } = (envelope ?? {}) as Partial<ExecutionEvent>;
  if (typeof id !== 'string' || typeof seq !== 'number' || typeof type !== 'string') return undefined;
  // In the order of the protocol's envelope: what is encoded from it looks like its tables.
  return { id, seq, type, ts, executionId, attempt, data } as ExecutionEvent;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
