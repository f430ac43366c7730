// Reads the newest events of a log for its tail.
import type { LogPage, LogReader, LogWriter } from '../log/log.ts';
import type { LogWindow } from './log-window.ts';

/** Events of one read. */
export const PAGE_SIZE = 256;

export type TailLog = LogReader & Pick<LogWriter, 'open' | 'head'>;

/**
 * Reads the events after the window's head or, if the log has ended further away than one page, the terminal event.
 *
 * A log that has lost its end is restarted in a new epoch before any of it is used: a publisher that does not know of
 * the loss would otherwise give other events the seqs that viewers have already received.
 * @returns undefined if there is no log
 * @throws ExecstreamError `SOURCE_UNAVAILABLE` if the log is unavailable
 */
export async function readNewest(log: TailLog, window: LogWindow): Promise<LogPage | undefined> {
  const { executionId } = window;
  let page = await log.read(executionId, window.head, PAGE_SIZE);
  if (page && hasLostItsEnd(page, window)) {
    const { attempt, epoch } = page;
    await log.open(executionId, { numbering: 'auto', attempt, lost: { epoch, acknowledged: window.head } });
    page = await log.read(executionId, 0, PAGE_SIZE);
  }
  if (!page) return undefined;
  const isEndNew = page.end > 0 && (window.end === 0 || page.epoch !== window.epoch);
  return isEndNew && page.events.at(-1)?.seq !== page.end ? log.read(executionId, page.end - 1, 1) : page;
}

/** Only logs that number events themselves are restarted: a source with fixed numbers appends the lost ones again. */
function hasLostItsEnd({ numbering, epoch, head }: LogPage, window: LogWindow): boolean {
  return numbering === 'auto' && window.end === 0 && epoch === window.epoch && head < window.head;
}
