// Maps what a run's history has of a Workflow Stream to events.
import { parseCloseEvent } from '../../shared/close-event.ts';
import type { HistoryEvent } from '../../shared/history-event.ts';
import type { WorkflowRun } from '../temporal-client.ts';
import { type UnnumberedEvent, warning } from '../unnumbered-event.ts';
import type { WatchContext } from '../watch-context.ts';
import { createItemEvents } from './item-events.ts';
import { createItemHistory, type ItemPosition } from './item-history.ts';

export interface ItemMapper {
  /**
   * Maps an event of the history. Pass it every event from the first, in order.
   * @returns the events that it adds, and whether viewers do not see it otherwise
   * @throws TemporalError `undecodable` if the codec server is unavailable
   */
  map(
    event: HistoryEvent,
  ): Promise<{ readonly added: readonly UnnumberedEvent[]; readonly isHidden: boolean }>;
  readonly position: ItemPosition;
}

/** @param isContinued whether the run continues one whose events precede it in the same stream */
export function createItemMapper(
  { temporal, sizes }: Pick<WatchContext, 'temporal' | 'sizes'>,
  run: WorkflowRun,
  isContinued: boolean,
): ItemMapper {
  const history = createItemHistory(isContinued, (payloads) => temporal.decode(run.namespace, payloads));
  const items = createItemEvents(sizes);
  let isWarned = false;

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
