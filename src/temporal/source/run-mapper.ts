// What the history of a run becomes in its stream: its events, with the payloads that are shown, and the items of a
// Workflow Stream.
import type { ExecutionStatus } from '../../event/events.ts';
import { isPinnedRun } from '../../event/execution-key.ts';
import { fitData } from '../../event/omit-fields.ts';
import { parseCloseEvent } from '../shared/close-event.ts';
import type { HistoryEvent } from '../shared/history-event.ts';
import { createHistoryMapper } from './history-events.ts';
import { createShownPayloads, NO_PAYLOADS } from './shown-payloads.ts';
import type { WorkflowRun } from './temporal-client.ts';
import type { UnnumberedEvent } from './unnumbered-event.ts';
import type { WatchContext } from './watch-context.ts';
import type { ItemPosition } from './workflow-streams/item-history.ts';
import { createItemMapper } from './workflow-streams/item-mapper.ts';

export interface RunMapper {
  /**
   * Reads what events show of their payloads, before they are mapped.
   * @throws TemporalError `undecodable` if the codec server is unavailable
   */
  prepare(events: readonly HistoryEvent[]): Promise<void>;
  /**
   * Maps an event of the history; a close event to the last items alone. Pass it every event from the first, in order.
   * @throws as `prepare`
   */
  map(event: HistoryEvent): Promise<readonly UnnumberedEvent[]>;
  /** Up to where the items of the Workflow Stream are known. */
  readonly itemPosition: ItemPosition;
}

/** Takes the first place of a stream that does not start with the first run of its chain. */
const MISSING_RUNS: UnnumberedEvent = { type: 'gap', data: { fromSeq: 1, toSeq: 1 } };

/** @param isContinued whether the run continues one whose events precede it in the same stream */
export function createRunMapper(context: WatchContext, run: WorkflowRun, isContinued: boolean): RunMapper {
  const { temporal, sizes, decodePayload } = context;
  const payloads = decodePayload
    ? createShownPayloads((encoded) => temporal.decode(run.namespace, encoded), decodePayload)
    : NO_PAYLOADS;
  const toStreamEvent = createHistoryMapper(run, isContinued, context.idsFrom(run), payloads.of);
  const items = createItemMapper(context, run, isContinued);
  // The runs before it are not in the stream: there were too many, or Temporal no longer has them.
  const lacksRuns = !isContinued && run.continues !== undefined && !isPinnedRun(context.executionId);
  let status: ExecutionStatus = 'RUNNING';

  /** Payloads alone have no limit. */
  function fitted(source: HistoryEvent, { type, data }: UnnumberedEvent): UnnumberedEvent {
    const fitting = payloads.of(source) ? fitData(type, data, sizes) : data;
    return { type, data: fitting } as UnnumberedEvent;
  }

  return {
    prepare: payloads.read,
    async map(event) {
      const { added, isHidden } = await items.map(event);
      const mapped = isHidden || parseCloseEvent(event) ? undefined : toStreamEvent(event);
      if (mapped?.type === 'workflow_status') status = mapped.data.status;
      const ofItems = added.map((each) =>
        each.type === 'workflow_status' ? { ...each, data: { ...each.data, status } } : each,
      );
      const shown = mapped ? [fitted(event, mapped), ...ofItems] : ofItems;
      return lacksRuns && event.workflowExecutionStartedEventAttributes ? [MISSING_RUNS, ...shown] : shown;
    },
    get itemPosition() {
      return items.position;
    },
  };
}
