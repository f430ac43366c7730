// Whatever the work throws becomes a readable message: in the row, in the stream, and in the log lines.
import { expect, test } from 'vitest';
import { completeWith } from '../../src/publish/llm/complete-with.ts';
import { createRedactor } from '../../src/redact/redaction.ts';
import { foldLog } from './fold.ts';
import { createRecorder, createRig } from './rig.ts';

const throwing = (field: string) =>
  Object.defineProperty(new Error('the model failed'), field, {
    get: () => {
      throw new Error('a getter');
    },
  });

test.each([
  ['a plain object', { error: { message: 'overloaded', type: 'overload' } }, { message: 'overloaded' }],
  ['undefined', undefined, { message: 'unknown error (undefined)' }],
  ['a string', 'out of tokens', { message: 'out of tokens' }],
  ['an error without a message', new RangeError(), { message: 'RangeError without a message' }],
  ['an AggregateError', new AggregateError([new Error('a'), new Error('b')]), { message: 'a; b' }],
  ['a code whose getter throws', throwing('code'), { message: 'the model failed' }],
])('an execution that fails with %s has a readable message', async (_, thrown, error) => {
  const { publisher, store, log } = createRig();
  const run = await publisher.begin({ kind: 'agent', id: 'a1' });
  await expect(completeWith(run, Promise.reject(thrown))).rejects.toBe(thrown);
  expect(await store.get('a1')).toMatchObject({ status: 'FAILED', error });
  const { ends } = await foldLog(log.real, 'a1');
  expect(ends).toMatchObject([{ type: 'error', data: error }]);
});

test('an attempt that is abandoned with an object has a readable warning', async () => {
  const { publisher, log } = createRig();
  const run = await publisher.begin({ kind: 'agent', id: 'a1' });
  await run.abandon({ response: { status: 500 } });
  const { events } = await foldLog(log.real, 'a1');
  const data = { code: 'ATTEMPT_FAILED', message: '{"response":{"status":500}}' };
  expect(events.at(-1)).toMatchObject({ type: 'warning', data });
});

test('a code that is not a text does not prevent the end', async () => {
  const { publisher, store } = createRig();
  const run = await publisher.begin({ kind: 'agent', id: 'a1' });
  expect(await run.fail(new Error('no'), { code: 503 as never })).toBe(true);
  expect(await store.get('a1')).toMatchObject({ error: { message: 'no', code: '503' } });
});

test('an error whose getter throws is logged without that field', () => {
  const recorder = createRecorder();
  createRedactor()()
    .logger(recorder)
    .error({ err: throwing('response') }, 'request failed');
  expect(recorder.lines).toMatchObject([{ fields: { err: { message: 'the model failed' } } }]);
});
