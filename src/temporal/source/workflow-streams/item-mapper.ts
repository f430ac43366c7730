// Maps what a run's history has of a Workflow Stream to events.
import { backoff } from '../../../async/backoff.ts';
import { delay } from '../../../async/delay.ts';
import { parseCloseEvent } from '../../shared/close-event.ts';
import type { HistoryEvent } from '../../shared/history-event.ts';
import type { Payload } from '../../shared/payloads.ts';
import { isTemporalError } from '../errors.ts';
import type { WorkflowRun } from '../temporal-client.ts';
import { type UnnumberedEvent, warning } from '../unnumbered-event.ts';
import type { WatchContext } from '../watch-context.ts';
import { createItemEvents } from './item-events.ts';
import { createItemHistory, type ItemPosition } from './item-history.ts';

export interface ItemMapper {
  /**
   * Maps an event of the history. Pass it every event from the first, in order. Waits for the codec server, with a warning
   * for viewers.
   * @throws TemporalError if the signal aborts in the meantime
   * @returns the events that it adds, and whether viewers do not see it otherwise
   */
  map(
    event: HistoryEvent,
  ): Promise<{ readonly added: readonly UnnumberedEvent[]; readonly isHidden: boolean }>;
  readonly position: ItemPosition;
}

/** @param isContinued whether the run continues one whose events precede it in the same stream */
export function createItemMapper(
  context: Pick<WatchContext, 'temporal' | 'sizes' | 'warnings' | 'times' | 'signal'>,
  run: WorkflowRun,
  isContinued: boolean,
): ItemMapper {
  const { temporal, sizes, warnings, times, signal } = context;
  const history = createItemHistory(isContinued, decode);
  const items = createItemEvents(sizes);
  let isWarned = false;

  async function decode(payloads: readonly Payload[]): Promise<readonly Payload[]> {
    for (let failures = 0; ; ) {
      try {
        const decoded = await temporal.decode(run.namespace, payloads);
        if (failures > 0) warnings.clear('decode');
        return decoded;
      } catch (error) {
        if (signal.aborted || !isTemporalError(error, 'undecodable')) throw error;
        failures += 1;
        warnings.add('decode', error);
        await delay(backoff(times.retryMs, failures), signal);
      }
    }
  }

  return {
    async map(event) {
      const { items: news, isProtocol, isUndecodable } = await history.read(event);
      const added = await items.map(news);
      if (isUndecodable && !isWarned) {
        isWarned = true;
        added.push(warning('UNDECODABLE', 'items of a Workflow Stream are encoded, and are not shown'));
      }
      if (parseCloseEvent(event)) added.push(...items.end());
      return { added, isHidden: isProtocol };
    },
    get position() {
      return history.position;
    },
  };
}
