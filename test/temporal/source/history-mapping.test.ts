// What each event of a history maps to, without a server, and that no event type of the installed API is forgotten.
import proto from '@temporalio/proto';
import { expect, test } from 'vitest';
import type { HistoryEvent } from '../../../src/temporal/shared/history-event.ts';
import { createHistoryMapper } from '../../../src/temporal/source/history-events.ts';
import { historyEvent, RUN, type Sample } from './history-samples.ts';

/** Maps a history; the events are numbered from 1. An event that is not shown is `-`. */
function map(samples: readonly Sample[], run = RUN): string[] {
  const toStreamEvent = createHistoryMapper(run, false);
  return samples.map((sample, i) => {
    const event = toStreamEvent(historyEvent(sample, i + 1));
    if (!event) return '-';
    const data = event.data as Record<string, unknown>;
    const words = ['taskId', 'summary', 'executionKind', 'executionId', 'status', 'step', 'code', 'message'];
    return [event.type, ...words.map((word) => data[word])].filter((word) => word !== undefined).join(' ');
  });
}

const task = (id: number) => ({ scheduledEventId: id });
const child = (id: number) => ({ initiatedEventId: id });
const failure = { message: 'outer', cause: { message: 'broken' } };
const execution = { workflowId: 'other', runId: 'r9' };
const text = (value: unknown) => ({
  metadata: { encoding: Buffer.from('json/plain') },
  data: Buffer.from(JSON.stringify(value)),
});
const details = (fields: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, { payloads: [text(value)] }]));

/** Histories and what they map to, by a title. Together they have every event type that is shown. */
const SHOWN: Record<string, readonly (readonly [Sample, line: string])[]> = {
  'the start of the workflow': [[['WORKFLOW_EXECUTION_STARTED', {}], 'workflow_start']],
  'an activity that is cancelled': [
    [['ACTIVITY_TASK_SCHEDULED', { activityId: '7', activityType: { name: 'fetch' } }], 'task_start fetch#7'],
    [['ACTIVITY_PROPERTIES_MODIFIED_EXTERNALLY', task(1)], 'task_status fetch#7 RUNNING options updated'],
    [
      ['ACTIVITY_TASK_STARTED', { ...task(1), attempt: 2, lastFailure: failure }],
      'task_status fetch#7 RUNNING attempt 2, after: broken',
    ],
    [['ACTIVITY_TASK_CANCEL_REQUESTED', task(1)], 'task_status fetch#7 RUNNING cancellation requested'],
    [['ACTIVITY_TASK_CANCELED', task(1)], 'task_status fetch#7 CANCELED'],
  ],
  'the ends of activities': [
    ...(['1', '2', '3'] as const).map(
      (activityId) =>
        [
          ['ACTIVITY_TASK_SCHEDULED', { activityId, activityType: { name: 'a' } }],
          `task_start a#${activityId}`,
        ] as const,
    ),
    [['ACTIVITY_TASK_COMPLETED', task(1)], 'task_status a#1 SUCCESS'],
    [['ACTIVITY_TASK_FAILED', { ...task(2), failure }], 'task_status a#2 FAILED broken'],
    [['ACTIVITY_TASK_TIMED_OUT', { ...task(3), failure }], 'task_status a#3 TIMED_OUT broken'],
    // The task has ended, and this one was never started.
    [['ACTIVITY_TASK_CANCEL_REQUESTED', task(1)], '-'],
    [['ACTIVITY_TASK_COMPLETED', task(99)], '-'],
  ],
  'a child workflow, which has its execution id once it exists': [
    [
      ['START_CHILD_WORKFLOW_EXECUTION_INITIATED', { workflowId: 'c', workflowType: { name: 'C' } }],
      'task_start C#c WORKFLOW',
    ],
    [
      [
        'CHILD_WORKFLOW_EXECUTION_STARTED',
        { ...child(1), namespace: 'default', workflowExecution: { workflowId: 'c' } },
      ],
      'task_status C#c WORKFLOW c RUNNING',
    ],
    [['CHILD_WORKFLOW_EXECUTION_COMPLETED', child(1)], 'task_status C#c WORKFLOW c SUCCESS'],
  ],
  'a child workflow of another namespace, or with an id that is not an execution id, which has no link': [
    [
      ['START_CHILD_WORKFLOW_EXECUTION_INITIATED', { workflowId: 'c', workflowType: { name: 'C' } }],
      'task_start C#c WORKFLOW',
    ],
    [
      [
        'CHILD_WORKFLOW_EXECUTION_STARTED',
        { ...child(1), namespace: 'far', workflowExecution: { workflowId: 'c' } },
      ],
      'task_status C#c WORKFLOW RUNNING',
    ],
    [
      ['START_CHILD_WORKFLOW_EXECUTION_INITIATED', { workflowId: 'c\0', workflowType: { name: 'C' } }],
      'task_start C#c\0 WORKFLOW',
    ],
    [
      ['CHILD_WORKFLOW_EXECUTION_STARTED', { ...child(3), workflowExecution: { workflowId: 'c\0' } }],
      'task_status C#c\0 WORKFLOW RUNNING',
    ],
  ],
  'the other ends of child workflows': [
    ...[1, 2, 3, 4, 5].map(
      (i) =>
        [
          ['START_CHILD_WORKFLOW_EXECUTION_INITIATED', { workflowId: `c${i}`, workflowType: { name: 'C' } }],
          `task_start C#c${i} WORKFLOW`,
        ] as const,
    ),
    [
      ['START_CHILD_WORKFLOW_EXECUTION_FAILED', { ...child(1), cause: 1 }],
      'task_status C#c1 WORKFLOW FAILED the child workflow could not be started: a workflow with this id exists already',
    ],
    [
      ['CHILD_WORKFLOW_EXECUTION_FAILED', { ...child(2), failure }],
      'task_status C#c2 WORKFLOW FAILED broken',
    ],
    [['CHILD_WORKFLOW_EXECUTION_TIMED_OUT', child(3)], 'task_status C#c3 WORKFLOW TIMED_OUT'],
    [['CHILD_WORKFLOW_EXECUTION_TERMINATED', child(4)], 'task_status C#c4 WORKFLOW TERMINATED'],
    [['CHILD_WORKFLOW_EXECUTION_CANCELED', child(5)], 'task_status C#c5 WORKFLOW CANCELED'],
  ],
  'a Nexus operation that a workflow handles, which is linked': [
    [['NEXUS_OPERATION_SCHEDULED', { service: 'bank', operation: 'pay' }], 'task_start bank.pay#1'],
    [
      [
        'NEXUS_OPERATION_STARTED',
        task(1),
        { links: [{ workflowEvent: { namespace: 'default', workflowId: 'pay-1' } }] },
      ],
      'task_status bank.pay#1 WORKFLOW pay-1 RUNNING',
    ],
    [
      ['NEXUS_OPERATION_CANCEL_REQUESTED', task(1)],
      'task_status bank.pay#1 WORKFLOW pay-1 RUNNING cancellation requested',
    ],
    [
      ['NEXUS_OPERATION_CANCEL_REQUEST_COMPLETED', task(1)],
      'task_status bank.pay#1 WORKFLOW pay-1 RUNNING cancellation delivered',
    ],
    [['NEXUS_OPERATION_CANCELED', { ...task(1), failure }], 'task_status bank.pay#1 WORKFLOW pay-1 CANCELED'],
    // It is delivered late.
    [['NEXUS_OPERATION_CANCEL_REQUEST_FAILED', { ...task(1), failure }], '-'],
  ],
  'the other ends of Nexus operations': [
    ...[1, 2, 3].map(
      (i) =>
        [['NEXUS_OPERATION_SCHEDULED', { service: 's', operation: 'o' }], `task_start s.o#${i}`] as const,
    ),
    [
      ['NEXUS_OPERATION_CANCEL_REQUEST_FAILED', { ...task(1), failure }],
      'task_status s.o#1 RUNNING cancellation failed: broken',
    ],
    [['NEXUS_OPERATION_COMPLETED', task(1)], 'task_status s.o#1 SUCCESS'],
    [['NEXUS_OPERATION_FAILED', { ...task(2), failure }], 'task_status s.o#2 FAILED broken'],
    [['NEXUS_OPERATION_TIMED_OUT', { ...task(3), failure }], 'task_status s.o#3 TIMED_OUT broken'],
  ],
  'signals and cancellation': [
    [['WORKFLOW_EXECUTION_SIGNALED', { signalName: 'go' }], 'workflow_status RUNNING signal go'],
    [
      ['WORKFLOW_EXECUTION_SIGNALED', { signalName: 'go', externalWorkflowExecution: execution }],
      'workflow_status RUNNING signal go from other',
    ],
    [
      ['WORKFLOW_EXECUTION_CANCEL_REQUESTED', { cause: '' }],
      'workflow_status RUNNING cancellation requested',
    ],
    [
      ['WORKFLOW_EXECUTION_CANCEL_REQUESTED', { cause: 'too late' }],
      'workflow_status RUNNING cancellation requested: too late',
    ],
  ],
  'updates, by their names': [
    [
      [
        'WORKFLOW_EXECUTION_UPDATE_ADMITTED',
        { request: { meta: { updateId: 'u1' }, input: { name: 'price' } } },
      ],
      'workflow_status RUNNING update price admitted',
    ],
    [
      ['WORKFLOW_EXECUTION_UPDATE_ACCEPTED', { protocolInstanceId: 'u1' }],
      'workflow_status RUNNING update price accepted',
    ],
    [
      ['WORKFLOW_EXECUTION_UPDATE_COMPLETED', { meta: { updateId: 'u1' }, outcome: { success: {} } }],
      'workflow_status RUNNING update price completed',
    ],
    [
      [
        'WORKFLOW_EXECUTION_UPDATE_ACCEPTED',
        { protocolInstanceId: 'u2', acceptedRequest: { input: { name: 'size' } } },
      ],
      'workflow_status RUNNING update size accepted',
    ],
    [
      ['WORKFLOW_EXECUTION_UPDATE_COMPLETED', { meta: { updateId: 'u2' }, outcome: { failure } }],
      'workflow_status RUNNING update size failed: broken',
    ],
    [
      [
        'WORKFLOW_EXECUTION_UPDATE_REJECTED',
        { protocolInstanceId: 'u3', rejectedRequest: { input: { name: 'age' } }, failure },
      ],
      'workflow_status RUNNING update age rejected: broken',
    ],
  ],
  'timers, with their summaries': [
    [
      [
        'TIMER_STARTED',
        { timerId: '1', startToFireTimeout: { seconds: 60, nanos: 5e8 } },
        { userMetadata: { summary: text('Wait for the payment') } },
      ],
      'workflow_status RUNNING timer 1 (60.5 s): Wait for the payment',
    ],
    [
      ['TIMER_STARTED', { timerId: '2', startToFireTimeout: { seconds: 1 } }],
      'workflow_status RUNNING timer 2 (1 s)',
    ],
    [
      ['TIMER_FIRED', { startedEventId: 1 }],
      'workflow_status RUNNING timer 1 (60.5 s) fired: Wait for the payment',
    ],
    [['TIMER_CANCELED', { startedEventId: 2 }], 'workflow_status RUNNING timer 2 (1 s) cancelled'],
  ],
  'messages to other workflows': [
    [
      ['SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED', { signalName: 'go', workflowExecution: execution }],
      'workflow_status RUNNING signal go to other',
    ],
    [
      ['EXTERNAL_WORKFLOW_EXECUTION_SIGNALED', child(1)],
      'workflow_status RUNNING signal go to other delivered',
    ],
    [
      ['SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED', { signalName: 'go', workflowExecution: execution }],
      'workflow_status RUNNING signal go to other',
    ],
    [
      ['SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED', { ...child(3), cause: 1 }],
      'workflow_status RUNNING signal go to other failed: Temporal does not know the workflow',
    ],
    [
      ['REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED', { workflowExecution: execution }],
      'workflow_status RUNNING request to cancel other',
    ],
    [
      ['EXTERNAL_WORKFLOW_EXECUTION_CANCEL_REQUESTED', child(5)],
      'workflow_status RUNNING request to cancel other delivered',
    ],
    [
      ['REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED', { workflowExecution: execution }],
      'workflow_status RUNNING request to cancel other',
    ],
    [
      ['REQUEST_CANCEL_EXTERNAL_WORKFLOW_EXECUTION_FAILED', { ...child(7), cause: 2 }],
      'workflow_status RUNNING request to cancel other failed: Temporal does not know the namespace',
    ],
  ],
  'a pause, in which all steps have the status of the workflow': [
    [['WORKFLOW_EXECUTION_PAUSED', { reason: 'lunch' }], 'workflow_status PAUSED paused: lunch'],
    [['WORKFLOW_EXECUTION_SIGNALED', { signalName: 'go' }], 'workflow_status PAUSED signal go'],
    [['WORKFLOW_EXECUTION_UNPAUSED', {}], 'workflow_status RUNNING unpaused'],
  ],
  'properties, without their values': [
    [
      [
        'UPSERT_WORKFLOW_SEARCH_ATTRIBUTES',
        { searchAttributes: { indexedFields: { Size: text('secret'), Price: text(1) } } },
      ],
      'workflow_status RUNNING search attributes Price, Size updated',
    ],
    [
      [
        'UPSERT_WORKFLOW_SEARCH_ATTRIBUTES',
        { searchAttributes: { indexedFields: { TemporalChangeVersion: text('c-1') } } },
      ],
      '-',
    ],
    [
      ['WORKFLOW_PROPERTIES_MODIFIED', { upsertedMemo: { fields: { note: text('secret') } } }],
      'workflow_status RUNNING memo note updated',
    ],
    [
      ['WORKFLOW_PROPERTIES_MODIFIED_EXTERNALLY', { newTaskQueue: 'q2' }],
      'workflow_status RUNNING task queue q2',
    ],
    [
      [
        'WORKFLOW_EXECUTION_OPTIONS_UPDATED',
        { versioningOverride: { pinned: { version: { deploymentName: 'd', buildId: 'b' } } } },
      ],
      'workflow_status RUNNING options updated: pinned to version d.b',
    ],
    [
      ['WORKFLOW_EXECUTION_OPTIONS_UPDATED', { unsetVersioningOverride: true, attachedRequestId: 'x' }],
      'workflow_status RUNNING options updated: versioning override removed, another start request attached',
    ],
    [
      ['WORKFLOW_EXECUTION_OPTIONS_UPDATED', { versioningOverride: { autoUpgrade: true }, priority: {} }],
      'workflow_status RUNNING options updated: upgraded automatically, priority',
    ],
    [
      ['WORKFLOW_EXECUTION_TIME_SKIPPING_TRANSITIONED', { targetTime: { seconds: 0 } }],
      'workflow_status RUNNING time skipped to 1970-01-01T00:00:00.000Z',
    ],
  ],
  'local activities of the SDKs on Core': [
    [
      [
        'MARKER_RECORDED',
        {
          markerName: 'core_local_activity',
          details: details({ data: { activity_id: '1', activity_type: 'hash' }, result: 'secret' }),
        },
      ],
      'task_status hash#1 SUCCESS local activity',
    ],
    [
      [
        'MARKER_RECORDED',
        {
          markerName: 'core_local_activity',
          details: details({ data: { activity_id: '2', activity_type: 'hash', backoff: '60s' } }),
          failure,
        },
      ],
      'task_status hash#2 RUNNING local activity: broken; retrying',
    ],
    [
      [
        'MARKER_RECORDED',
        {
          markerName: 'core_local_activity',
          details: details({ data: { activity_id: '2', activity_type: 'hash' } }),
          failure,
        },
      ],
      'task_status hash#2 FAILED local activity: broken',
    ],
  ],
  'local activities of the SDKs for Go and Java': [
    [
      [
        'MARKER_RECORDED',
        {
          markerName: 'LocalActivity',
          details: details({ data: { ActivityID: '1', ActivityType: 'Hash', Backoff: 0 } }),
          failure: { message: 'late', timeoutFailureInfo: {} },
        },
      ],
      'task_status Hash#1 TIMED_OUT local activity: late',
    ],
    [
      [
        'MARKER_RECORDED',
        { markerName: 'LocalActivity', details: details({ activityId: 'x', type: 'Hash' }) },
        { userMetadata: { summary: text('Hash it') } },
      ],
      'task_status Hash#x SUCCESS local activity: Hash it',
    ],
    [
      [
        'MARKER_RECORDED',
        { markerName: 'LocalActivity', failure: { message: 'stopped', canceledFailureInfo: {} } },
      ],
      'task_status local activity# CANCELED local activity: stopped',
    ],
  ],
  'versions, side effects and other markers': [
    [
      [
        'MARKER_RECORDED',
        { markerName: 'core_patch', details: details({ 'patch-data': { id: 'fix-1', deprecated: false } }) },
      ],
      'workflow_status RUNNING patch fix-1',
    ],
    [
      ['MARKER_RECORDED', { markerName: 'Version', details: details({ 'change-id': 'c', version: 2 }) }],
      'workflow_status RUNNING version 2 of c',
    ],
    [
      ['MARKER_RECORDED', { markerName: 'Version', details: details({ changeId: 'c', version: 3 }) }],
      'workflow_status RUNNING version 3 of c',
    ],
    [
      [
        'MARKER_RECORDED',
        { markerName: 'SideEffect', details: details({ 'side-effect-id': 1, data: 'secret' }) },
      ],
      'workflow_status RUNNING side effect',
    ],
    [
      [
        'MARKER_RECORDED',
        { markerName: 'MutableSideEffect', details: details({ 'side-effect-id': 'rate', data: 'secret' }) },
      ],
      'workflow_status RUNNING side effect rate',
    ],
    [['MARKER_RECORDED', { markerName: 'constructor' }], 'workflow_status RUNNING marker constructor'],
  ],
  'workflow tasks that failed, and the version of their worker': [
    [
      [
        'WORKFLOW_TASK_COMPLETED',
        { versioningBehavior: 1, deploymentVersion: { deploymentName: 'd', buildId: '1' } },
      ],
      'workflow_status RUNNING worker version d.1',
    ],
    [
      [
        'WORKFLOW_TASK_COMPLETED',
        { versioningBehavior: 1, deploymentVersion: { deploymentName: 'd', buildId: '1' } },
      ],
      '-',
    ],
    [
      ['WORKFLOW_TASK_COMPLETED', { versioningBehavior: 2, workerDeploymentVersion: 'd.2' }],
      'workflow_status RUNNING worker version d.2',
    ],
    [
      ['WORKFLOW_TASK_COMPLETED', { workerVersion: { buildId: 'b3', useVersioning: true } }],
      'workflow_status RUNNING worker version b3',
    ],
    [['WORKFLOW_TASK_COMPLETED', {}], '-'],
    [
      ['WORKFLOW_TASK_FAILED', { cause: 14, failure: { message: 'x is undefined' } }],
      'warning WORKFLOW_TASK_FAILED x is undefined',
    ],
    // A signal arrived while the task ran.
    [['WORKFLOW_TASK_FAILED', { cause: 1, failure: { message: 'UnhandledCommand' } }], '-'],
    [
      ['WORKFLOW_TASK_FAILED', { cause: 20, newRunId: 'r2', failure: { message: 'again' } }],
      'workflow_status RUNNING reset: again',
    ],
    [
      ['WORKFLOW_TASK_TIMED_OUT', { timeoutType: 1 }],
      'warning WORKFLOW_TASK_FAILED the worker did not complete a workflow task in time',
    ],
    [['WORKFLOW_TASK_TIMED_OUT', { timeoutType: 2 }], '-'],
  ],
  'summaries of tasks': [
    [
      [
        'ACTIVITY_TASK_SCHEDULED',
        { activityId: '1', activityType: { name: 'a' } },
        { userMetadata: { summary: text('Fetch it') } },
      ],
      'task_start a#1 Fetch it',
    ],
    [
      [
        'ACTIVITY_TASK_SCHEDULED',
        { activityId: '2', activityType: { name: 'a' } },
        { userMetadata: { details: text('First line\nsecond') } },
      ],
      'task_start a#2 First line',
    ],
    [
      [
        'ACTIVITY_TASK_SCHEDULED',
        { activityId: '3', activityType: { name: 'a' } },
        { userMetadata: { summary: text({ secret: 1 }) } },
      ],
      'task_start a#3',
    ],
  ],
};

/** Event types that viewers do not see, and why. */
const NOT_SHOWN: Record<string, string> = {
  UNSPECIFIED: 'is in no history',
  WORKFLOW_TASK_SCHEDULED: 'is work of the SDK',
  WORKFLOW_TASK_STARTED: 'is work of the SDK',
  ...Object.fromEntries(
    ['COMPLETED', 'FAILED', 'TIMED_OUT', 'TERMINATED', 'CANCELED', 'CONTINUED_AS_NEW'].map((how) => [
      `WORKFLOW_EXECUTION_${how}`,
      'is the end of the run, which is not mapped here',
    ]),
  ),
};

test.each(Object.entries(SHOWN))('a history is mapped to its events: %s', (_, samples) => {
  expect(map(samples.map(([sample]) => sample))).toEqual(samples.map(([, line]) => line));
});

const types = Object.keys(proto.temporal.api.enums.v1.EventType).map((name) =>
  name.replace('EVENT_TYPE_', ''),
);

test.each(types)('the event type %s of the installed API is shown, or deliberately not shown', (type) => {
  const lines = Object.values(SHOWN).flatMap((samples) => samples.filter(([[name]]) => name === type));
  if (type in NOT_SHOWN) expect(lines).toEqual([]);
  else expect(lines.filter(([, line]) => line !== '-')).not.toEqual([]);
});

test.each(Object.keys(NOT_SHOWN))('an event of the type %s has no event in the stream', (type) => {
  expect(map([[type, {}]])).toEqual(['-']);
});

test('an event of a later version of the API has no event in the stream', () => {
  const event = { eventId: 9, eventType: 999, somethingNewEventAttributes: {} } as unknown as HistoryEvent;
  expect(createHistoryMapper(RUN, false)(event)).toBeUndefined();
});

test('the start of a run that continues another one is not shown again', () => {
  const start = historyEvent(['WORKFLOW_EXECUTION_STARTED', {}], 1);
  expect(createHistoryMapper(RUN, true)(start)).toBeUndefined();
});

test('long names and reasons are truncated, so that every event fits', () => {
  const long = 'x'.repeat(100_000);
  const samples: Sample[] = [
    ['WORKFLOW_EXECUTION_SIGNALED', { signalName: long }],
    ['WORKFLOW_EXECUTION_CANCEL_REQUESTED', { cause: long }],
    ['WORKFLOW_EXECUTION_PAUSED', { reason: long }, { userMetadata: { summary: text(long) } }],
    ['WORKFLOW_EXECUTION_UPDATE_REJECTED', { protocolInstanceId: long, failure: { message: long } }],
    ['NEXUS_OPERATION_SCHEDULED', { service: long, operation: long }],
    ['UPSERT_WORKFLOW_SEARCH_ATTRIBUTES', { searchAttributes: { indexedFields: { [long]: text(1) } } }],
    ['WORKFLOW_EXECUTION_OPTIONS_UPDATED', { versioningOverride: { pinnedVersion: long } }],
    ['MARKER_RECORDED', { markerName: long }],
    ['WORKFLOW_TASK_FAILED', { cause: 20, failure: { message: long } }],
  ];
  for (const line of map(samples)) expect(line.length).toBeLessThan(3_000);
});
