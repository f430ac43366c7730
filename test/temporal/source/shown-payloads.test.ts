// Inputs and results of tasks in a history that the application shows, without a server.
import { expect, test, vi } from 'vitest';
import { decodePlainJson, type Payload } from '../../../src/temporal/shared/payloads.ts';
import { createHistoryMapper } from '../../../src/temporal/source/history-events.ts';
import { createShownPayloads } from '../../../src/temporal/source/shown-payloads.ts';
import { historyEvent, RUN, type Sample } from './history-samples.ts';

const payload = (value: unknown): Payload => ({
  metadata: { encoding: Buffer.from('json/plain') },
  data: Buffer.from(JSON.stringify(value)),
});
const list = (...values: unknown[]) => ({ payloads: values.map(payload) });

const ACTIVITY: Sample = [
  'ACTIVITY_TASK_SCHEDULED',
  { activityId: '1', activityType: { name: 'fetch' }, input: list('page', { depth: 2 }) },
];

/** The data of the events that a history maps to. */
async function show(samples: readonly Sample[], decode = decodePlainJson, codec = vi.fn(async (all) => all)) {
  const payloads = createShownPayloads(codec, decode);
  const events = samples.map((sample, i) => historyEvent(sample, i + 1));
  await payloads.read(events);
  const map = createHistoryMapper(RUN, false, undefined, payloads.of);
  return { data: events.map((event) => map(event)?.data), codec };
}

test('an activity has its argument, or the list of its arguments, and its result', async () => {
  const { data } = await show([
    ACTIVITY,
    [
      'ACTIVITY_TASK_SCHEDULED',
      { activityId: '2', activityType: { name: 'store' }, input: list({ key: 'k' }) },
    ],
    ['ACTIVITY_TASK_SCHEDULED', { activityId: '3', activityType: { name: 'noop' }, input: list() }],
    ['ACTIVITY_TASK_COMPLETED', { scheduledEventId: 1, result: list(['a', 'b']) }],
    ['ACTIVITY_TASK_COMPLETED', { scheduledEventId: 2, result: null }],
  ]);
  expect(data).toEqual([
    { taskId: 'fetch#1', input: ['page', { depth: 2 }] },
    { taskId: 'store#2', input: { key: 'k' } },
    { taskId: 'noop#3' },
    { taskId: 'fetch#1', status: 'SUCCESS', result: ['a', 'b'] },
    { taskId: 'store#2', status: 'SUCCESS' },
  ]);
});

test('child workflows, Nexus operations and local activities have them too', async () => {
  const child = { workflowId: 'c', workflowType: { name: 'Child' } };
  const data = { activity_type: 'sum', activity_id: '1' };
  const shown = await show([
    ['START_CHILD_WORKFLOW_EXECUTION_INITIATED', { ...child, input: list(1) }],
    ['CHILD_WORKFLOW_EXECUTION_COMPLETED', { initiatedEventId: 1, result: list(2) }],
    ['NEXUS_OPERATION_SCHEDULED', { service: 's', operation: 'o', input: payload(3) }],
    ['NEXUS_OPERATION_COMPLETED', { scheduledEventId: 3, result: payload(4) }],
    [
      'MARKER_RECORDED',
      { markerName: 'core_local_activity', details: { data: list(data), result: list(5) } },
    ],
  ]);
  expect(shown.data).toMatchObject([{ input: 1 }, { result: 2 }, { input: 3 }, { result: 4 }, { result: 5 }]);
});

test('what a decoder leaves out, or fails to decode, is absent, and null in a list of arguments', async () => {
  const decode = (one: Payload) => {
    const value = decodePlainJson(one);
    if (value === 'page') throw new Error('no key');
    return value === 'secret' ? undefined : value;
  };
  const { data } = await show(
    [
      ACTIVITY,
      ['ACTIVITY_TASK_SCHEDULED', { activityId: '2', activityType: { name: 'a' }, input: list('secret') }],
      [
        'ACTIVITY_TASK_SCHEDULED',
        { activityId: '3', activityType: { name: 'a' }, input: list('page', 'secret') },
      ],
      ['ACTIVITY_TASK_COMPLETED', { scheduledEventId: 1, result: list('secret') }],
    ],
    decode,
  );
  expect(data).toEqual([
    { taskId: 'fetch#1', input: [null, { depth: 2 }] },
    { taskId: 'a#2' },
    { taskId: 'a#3' },
    { taskId: 'fetch#1', status: 'SUCCESS' },
  ]);
});

test('the codec decodes the payloads of a page in one request, and its failure is reported', async () => {
  const result: Sample = ['ACTIVITY_TASK_COMPLETED', { scheduledEventId: 1, result: list('b') }];
  const { codec, data } = await show(
    [ACTIVITY, result],
    decodePlainJson,
    vi.fn(async (all: readonly Payload[]) => all.map((_, i) => payload(i))),
  );
  expect(codec).toHaveBeenCalledOnce();
  expect(data).toMatchObject([{ input: [0, 1] }, { result: 2 }]);
  const failing = createShownPayloads(() => Promise.reject(new Error('no codec')), decodePlainJson);
  await expect(failing.read([historyEvent(ACTIVITY, 1)])).rejects.toThrow('no codec');
});

test('without payloads no codec is called', async () => {
  const { codec } = await show([['WORKFLOW_EXECUTION_STARTED', { input: list(1) }]]);
  expect(codec).not.toHaveBeenCalled();
});

test('the input of a signal, and the input and the result of an update, are part of the step', async () => {
  const accepted = (name: string, args: object) => ({
    protocolInstanceId: 'u1',
    acceptedRequest: { input: { name, args } },
  });
  const { data, codec } = await show([
    ['WORKFLOW_EXECUTION_SIGNALED', { signalName: 'approve', input: list({ by: 'ann' }, 2) }],
    ['WORKFLOW_EXECUTION_SIGNALED', { signalName: 'go', input: list() }],
    ['WORKFLOW_EXECUTION_SIGNALED', { signalName: '__temporal_publish', input: list('internal') }],
    ['WORKFLOW_EXECUTION_UPDATE_ACCEPTED', accepted('setPrice', list(5))],
    [
      'WORKFLOW_EXECUTION_UPDATE_COMPLETED',
      { meta: { updateId: 'u1' }, outcome: { success: list({ price: 5 }) } },
    ],
    [
      'WORKFLOW_EXECUTION_SIGNALED',
      { signalName: 'note', input: list('long'.repeat(500)) },
      { userMetadata: { summary: payload('a note') } },
    ],
  ]);
  const steps = data.map((each) => (each as { step: string }).step);
  expect(steps.slice(0, 5)).toEqual([
    'signal approve: [{"by":"ann"},2]',
    'signal go',
    'signal __temporal_publish',
    'update setPrice accepted: 5',
    'update setPrice completed: {"price":5}',
  ]);
  expect(steps[5]).toMatch(/^signal note: a note: "(long)+.*…$/);
  expect(steps[5]!.length).toBeLessThan(1_100);
  expect(codec).toHaveBeenCalledTimes(1);
});
