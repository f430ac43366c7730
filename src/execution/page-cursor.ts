// Cursors of lists: an encoded position. Continuing a list reads no other execution, and a cursor does not reveal
// whether an execution exists.
import { ExecstreamError } from '../event/errors.ts';
import { checkExecutionId } from '../event/execution-id.ts';
import type { ListPosition } from './store.ts';

/** Times that both a JavaScript Date and Postgres can hold, in ms since 1970: from the year 1 on. */
const MIN_TIME_MS = -62_135_596_800_000;
const MAX_TIME_MS = 8.64e15;
/** Longer than any cursor that `encodePageCursor` returns. */
export const MAX_CURSOR_LENGTH = 1_400;

/** The cursor of a position: opaque to clients. */
export function encodePageCursor({ startedAt, id }: ListPosition): string {
  return Buffer.from(`${startedAt.getTime()}:${id ?? ''}`).toString('base64url');
}

/**
 * The position of a cursor.
 * @throws ExecstreamError `BAD_USER_INPUT` if the text is not a cursor of a list
 */
export function decodePageCursor(cursor: string): ListPosition {
  const position = cursor.length <= MAX_CURSOR_LENGTH ? parse(cursor) : undefined;
  if (position && encodePageCursor(position) === cursor) return position;
  throw new ExecstreamError('BAD_USER_INPUT', 'after: expected a cursor of a list, as in `endCursor`');
}

function parse(cursor: string): ListPosition | undefined {
  const [, time, id] = /^(-?\d{1,16}):(.*)$/s.exec(Buffer.from(cursor, 'base64url').toString()) ?? [];
  if (time === undefined || Number(time) < MIN_TIME_MS || Number(time) > MAX_TIME_MS) return undefined;
  const startedAt = new Date(Number(time));
  if (!id) return { startedAt };
  try {
    return { startedAt, id: checkExecutionId(id) };
  } catch {
    // An invalid id makes the cursor invalid, which the caller reports.
    return undefined;
  }
}
