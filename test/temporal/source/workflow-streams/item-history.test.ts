// Which items of a Workflow Stream a history shows, without a server.
import { expect, test } from 'vitest';
import type { Payload } from '../../../../src/temporal/shared/payloads.ts';
import { createItemHistory } from '../../../../src/temporal/source/workflow-streams/item-history.ts';
import { historyEvent, type Sample } from '../history-samples.ts';
import {
  carried,
  continuedAsNew,
  item,
  payloadOf,
  poll,
  publish,
  shownBy,
  started,
  taskCompleted,
  wireOf,
} from './samples.ts';

const decode = async (payloads: readonly Payload[]) => payloads;
const historyOf = (isContinued = false) => createItemHistory(isContinued, decode);
const foreign = { id: 'somebody-else' };

test('signals show their items, a batch that a publisher repeats once', async () => {
  const history = historyOf();
  const values = await shownBy(
    history,
    publish([item('a'), item('b')], 'p', 1),
    publish([item('a'), item('b')], 'p', 1),
    publish([item('c')], 'p', 2),
    publish([item('d')], 'q', 1),
    publish([item('b')], 'p', 1),
    publish([item('e')]),
    publish([item('e')]),
  );
  expect(values).toEqual(['a', 'b', 'c', 'd', 'e', 'e']);
  expect(history.position).toMatchObject({ known: 6, confirmed: 0, isUsed: true });
});

test('a poll shows the items of the workflow itself, and no item of a signal again', async () => {
  const history = historyOf();
  const values = await shownBy(
    history,
    publish([item('a'), item('b')], 'p', 1),
    ...poll([item('start', 0), item('a', 1), item('b', 2), item('end', 3)]),
    publish([item('c')], 'p', 2),
    ...poll([item('c', 4), item('late', 5)], { id: 'execstream-poll-2', from: 4 }),
  );
  expect(values).toEqual(['a', 'b', 'start', 'end', 'c', 'late']);
  expect(history.position).toMatchObject({ known: 6, confirmed: 6, polls: 2 });
});

test('polls of other subscribers count if they leave nothing out', async () => {
  const all = [item('x', 0), item('y', 1), item('z', 2)];
  const history = historyOf();
  expect(await shownBy(history, ...poll(all.slice(2), { ...foreign, from: 2 }))).toEqual([]);
  expect(await shownBy(history, ...poll([item('x', 0)], { ...foreign, topics: ['t'] }))).toEqual([]);
  expect(await shownBy(history, ...poll(all, foreign))).toEqual(['x', 'y', 'z']);
  expect(await shownBy(history, ...poll(all, { ...foreign, id: 'third' }))).toEqual([]);
  expect(history.position.polls).toBe(4);
});

test('items with the same content are all shown', async () => {
  const history = historyOf();
  const values = await shownBy(
    history,
    publish([item('x')], 'p', 1),
    ...poll([item('x', 0), item('y', 1), item('x', 2)]),
  );
  expect(values).toEqual(['x', 'y', 'x']);
});

test('one of our polls starts after items that have all been shown', async () => {
  const history = historyOf();
  const batch = [item('a'), item('b'), item('c')];
  const values = await shownBy(history, publish(batch, 'p', 1), ...poll([item('own', 3)], { from: 3 }));
  expect(values).toEqual(['a', 'b', 'c', 'own']);
  expect(history.position).toMatchObject({ confirmed: 4, known: 4 });
});

test('after a truncation the items that are left are shown, those of signals once', async () => {
  const failure = 'Requested offset 1 has been truncated. Current base offset is 4.';
  const history = historyOf();
  const values = [
    ...(await shownBy(history, publish([item('a'), item('b'), item('c')], 'p', 1))),
    ...(await shownBy(history, ...poll(failure, { from: 1 }), taskCompleted(3))),
  ];
  // Between the offsets 1 and 4 may be items of signals and of the workflow itself.
  expect(history.position).toMatchObject({ confirmed: 4, known: 4, isSettled: false });
  // At 0 is a, at 3 is b, and c follows.
  const rest = poll([item('c', 4), item('own', 5)], { id: 'execstream-poll-2', from: 4 });
  values.push(...(await shownBy(history, ...rest)));
  expect(values).toEqual(['a', 'b', 'c', 'own']);
  expect(history.position).toMatchObject({ confirmed: 6, known: 6 });
});

test('a poll from the start after a truncation skips the items that are gone', async () => {
  const history = historyOf();
  expect(await shownBy(history, ...poll([item('c', 7), item('d', 8)]))).toEqual(['c', 'd']);
  expect(history.position.confirmed).toBe(9);
});

test.each([
  ['TypeScript', carried([item('a'), item('own')], 3, { p: 5 })],
  [
    'Python',
    {
      log: [item('a'), item('own')],
      base_offset: 3,
      publishers: { p: { sequence: 5, last_seen: '2026-11-28T19:00:00+00:00' } },
    },
  ],
])('a run that continues another one starts after its items, in the form of %s', async (_, state) => {
  const input = { step: 4, nested: [{ stream_state: state }] };
  const next = historyOf(true);
  expect(await shownBy(next, started(input, 'r0'), publish([item('a')], 'p', 5))).toEqual([]);
  expect(await shownBy(next, publish([item('b')], 'p', 6))).toEqual(['b']);
  expect(next.position).toMatchObject({ confirmed: 5, known: 6 });
  // Without the events of the run before, it shows the items that it has.
  expect(await shownBy(historyOf(), started(input, 'r0'))).toEqual(['a', 'own']);
  expect(await shownBy(historyOf(), started(input))).toEqual([]);
});

test('a run that is continued as new shows the items that it carries over and that nobody has polled', async () => {
  const values = await shownBy(
    historyOf(),
    publish([item('a')], 'p', 1),
    continuedAsNew({ state: carried([item('first'), item('a'), item('last')], 0, { p: 1 }) }),
  );
  expect(values).toEqual(['a', 'first', 'last']);
});

test('the workflow has processed all signals when a task that started after them is completed', async () => {
  const history = historyOf();
  const settled = async (...samples: Sample[]) => {
    await shownBy(history, ...samples);
    return history.position.isSettled;
  };
  expect(await settled()).toBe(true);
  expect(await settled(publish([item('a')]))).toBe(false);
  expect(await settled(taskCompleted(1))).toBe(false);
  expect(await settled(taskCompleted(2))).toBe(true);
});

test('messages of Workflow Streams are not shown otherwise, and all other messages are', async () => {
  const history = historyOf();
  const isProtocol = async (sample: Sample) => (await history.read(historyEvent(sample, 1))).isProtocol;
  const [accepted, completed] = poll([]);
  const other = { input: { name: 'approve', args: null }, meta: { updateId: 'u' } };
  expect(await isProtocol(publish([]))).toBe(true);
  expect(await isProtocol(accepted!)).toBe(true);
  expect(await isProtocol(completed!)).toBe(true);
  expect(await isProtocol(['WORKFLOW_EXECUTION_SIGNALED', { signalName: 'go' }])).toBe(false);
  expect(
    await isProtocol([
      'WORKFLOW_EXECUTION_UPDATE_ACCEPTED',
      { protocolInstanceId: 'u', acceptedRequest: other },
    ]),
  ).toBe(false);
  expect(
    await isProtocol(['WORKFLOW_EXECUTION_UPDATE_COMPLETED', { meta: { updateId: 'u' }, outcome: {} }]),
  ).toBe(false);
  expect(await isProtocol(['TIMER_FIRED', { startedEventId: 1 }])).toBe(false);
});

test('a poll that was admitted before it was accepted is known by its admission', async () => {
  const [accepted, completed] = poll([item('x', 0)]);
  const { acceptedRequest } = accepted![1] as { acceptedRequest: object };
  const admitted: Sample = ['WORKFLOW_EXECUTION_UPDATE_ADMITTED', { request: acceptedRequest }];
  const later: Sample = [accepted![0], { protocolInstanceId: 'execstream-poll-1' }];
  const history = historyOf();
  expect(await shownBy(history, admitted, later, completed!)).toEqual(['x']);
  expect(history.position.polls).toBe(1);
});

test('values are JSON, text, or bytes with their encoding', async () => {
  const data = (value: unknown, encoding: string) => ({
    topic: 't',
    data: wireOf(payloadOf(value, encoding)),
    offset: 0,
  });
  const values = await shownBy(
    historyOf(),
    publish([
      data({ a: 1 }, 'json/plain'),
      data({ b: 1 }, 'json/protobuf'),
      data(Buffer.from('{"type":"x"}'), 'binary/plain'),
      data(Buffer.from('plain text'), 'binary/plain'),
      data(Buffer.from('42'), 'binary/plain'),
      data(Buffer.from([0xff, 0xfe]), 'binary/plain'),
      data(Buffer.from([1]), 'binary/protobuf'),
      data(Buffer.from('{'), 'json/plain'),
      data(Buffer.from('null'), 'json/plain'),
      data(Buffer.from('9007199254740993'), 'json/plain'),
      data(Buffer.from(`${'['.repeat(200)}${']'.repeat(200)}`), 'json/plain'),
      { topic: 't', data: wireOf({ metadata: { encoding: Buffer.from('binary/null') } }), offset: 0 },
      { topic: 't', data: 'no payload!', offset: 0 },
    ]),
  );
  const base64 = (text: string) => Buffer.from(text).toString('base64');
  expect(values).toEqual([
    ...[{ a: 1 }, { b: 1 }, { type: 'x' }, 'plain text', '42'],
    { encoding: 'binary/plain', base64: '//4=' },
    { encoding: 'binary/protobuf', base64: 'AQ==' },
    { encoding: 'json/plain', base64: base64('{') },
    null,
    '9007199254740993',
    { encoding: 'json/plain', base64: expect.any(String) },
    null,
    { encoding: '', base64: expect.any(String) },
  ]);
});

test.each([
  ['encoded', { payloads: [payloadOf(Buffer.from([1, 2]), 'binary/encrypted')] }],
  ['missing', undefined],
])('an argument that is %s is reported as undecodable, and the event is hidden', async (_, input) => {
  const signal: Sample = [
    'WORKFLOW_EXECUTION_SIGNALED',
    { signalName: '__temporal_workflow_stream_publish', input },
  ];
  const news = await historyOf().read(historyEvent(signal, 1));
  expect(news).toEqual({ items: [], isProtocol: true, isUndecodable: true });
});

test('what the codec throws is thrown', async () => {
  const failing = createItemHistory(false, async () => {
    throw new Error('no codec server');
  });
  await expect(shownBy(failing, publish([item('a')]))).rejects.toThrow('no codec server');
});
