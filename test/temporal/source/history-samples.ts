// Events of a history for tests, by the names of their types.
import type { HistoryEvent } from '../../../src/temporal/shared/history-event.ts';
import type { WorkflowRun } from '../../../src/temporal/source/temporal-client.ts';

/** An open run, the first of its workflow. */
export const RUN: WorkflowRun = {
  ...{
    namespace: 'default',
    workflowId: 'w',
    runId: 'r1',
    firstRunId: 'r1',
    workflowType: 'W',
    taskQueue: 'q',
  },
  ...{ closedAt: undefined, status: 'RUNNING' },
  ...{ parentId: undefined, attempt: 1, startedAt: 1_000, isOpen: true, historyLength: 3 },
};

/** The type without `EVENT_TYPE_`, its attributes, and other fields of the event. */
export type Sample = readonly [type: string, attributes: object, fields?: object];

/** The field of a type's attributes: `TIMER_FIRED` → `timerFiredEventAttributes`. */
function attributesKey(type: string): string {
  const camelCase = type.toLowerCase().replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
  return `${camelCase}EventAttributes`;
}

export function historyEvent([type, attributes, fields]: Sample, eventId: number): HistoryEvent {
  return { eventId, ...fields, [attributesKey(type)]: attributes } as unknown as HistoryEvent;
}
