// Reading a log in Redis, one page at a time.
import { ExecstreamError } from '../../event/errors.ts';
import type { ResetReason } from '../../event/events.ts';
import type { Connection } from '../../redis/connection.ts';
import type { LogKeys } from '../../redis/keys.ts';
import type { KnownBatch, LogHead, LogPage, Numbering } from '../log.ts';
import { isCursor, toEvent } from './envelope.ts';
import type { ScriptedRedis } from './scripts.ts';

type Reply = [
  epoch: string,
  head: number,
  numbering: Numbering,
  attempt: number,
  end: number,
  hasPublisher: 0 | 1,
  note: string,
  resetReason: ResetReason | '',
  incarnation: string,
  envelopes: string[],
];

/** Reads the head and up to `limit` events after a seq, both at the same moment; undefined without a log. */
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
  const envelopes = (reply as Reply)[9];
  const head = toHead(reply as Reply);
  // A field of the meta hash that is not a number ends the script's reply early.
  if (!Array.isArray(envelopes) || !isHead(head)) throw corrupt(executionId);
  const events = envelopes.map((envelope) => {
    const event = toEvent(parse(envelope), executionId);
    if (!event) throw corrupt(executionId);
    return event;
  });
  return { ...head, events };
}

/** Reads the head; undefined without a log. */
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

/** Reads what the log remembers of a batch; undefined if it does not know the name. */
export async function readBatch(
  connection: Connection,
  { meta }: LogKeys,
  batch: string,
): Promise<KnownBatch | undefined> {
  const stored = await connection.run(meta, (redis) => redis.hget(meta, `b:${batch}`));
  if (stored === null) return undefined;
  const [head, digest] = stored.split(' ');
  return { head: Number(head), ...(digest && { digest }) };
}

/** The head as the scripts return it, followed by further fields. */
export function toHead(reply: readonly unknown[]): LogHead {
  const [epoch, head, numbering, attempt, end, hasPublisher, note, resetReason, incarnation] = reply as Reply;
  return {
    epoch,
    head,
    numbering,
    attempt,
    end,
    hasPublisher: hasPublisher === 1,
    ...(resetReason !== '' && { resetReason }),
    ...(incarnation !== '' && { incarnation }),
    ...(note !== '' && { note }),
  };
}

function isHead({ epoch, head, attempt, end }: LogHead): boolean {
  return isCursor(`${head}-${epoch}`) && [attempt, end].every((n) => Number.isSafeInteger(n) && n >= 0);
}

/** Another client has written to the log's keys. Viewers wait, and continue once they are repaired. */
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
