// The details of heartbeats: decoded, redacted, and limited in size.
import { expect, test } from 'vitest';
import { decodePlainJson, type Payload } from '../../../src/temporal/shared/payloads.ts';
import { readProgress } from '../../../src/temporal/source/heartbeat-progress.ts';
import { createRedactingDecoder } from '../../../src/temporal/source/payload-decoder.ts';
import type { PendingTask } from '../../../src/temporal/source/temporal-client.ts';

const encoder = new TextEncoder();
const payload = (encoding: string, data: string): Payload => ({
  metadata: { encoding: encoder.encode(encoding) },
  data: encoder.encode(data),
});
const json = (value: unknown): Payload => payload('json/plain', JSON.stringify(value));
const taskWith = (...details: Payload[]): PendingTask => ({
  ...{ taskId: 'fetch#1', status: 'RUNNING', attempt: 1, nextAttemptAt: undefined },
  ...{ failure: undefined, note: undefined, details, heartbeatAt: 1 },
});
const asTheyAre = async (payloads: readonly Payload[]) => payloads;

async function progressOf(task: PendingTask, decodePayload = decodePlainJson) {
  return (await readProgress([task], asTheyAre, decodePayload)).get(task);
}

test('one detail is the progress, and several are a list', async () => {
  expect(await progressOf(taskWith(json({ page: 3 })))).toEqual({ progress: { page: 3 } });
  expect(await progressOf(taskWith(json(3), json('of 10')))).toEqual({ progress: [3, 'of 10'] });
  expect(await progressOf(taskWith(json(0)))).toEqual({ progress: 0 });
});

test('a heartbeat without details, or with none that can be shown, is no progress', async () => {
  for (const task of [
    taskWith(),
    taskWith(payload('binary/null', '')),
    taskWith(payload('binary/plain', 'abc')),
    taskWith(payload('binary/encrypted', 'abc'), payload('binary/encrypted', 'def')),
    taskWith(payload('json/plain', '{not json')),
  ]) {
    expect(await progressOf(task)).toBeUndefined();
  }
  const failing = () => {
    throw new Error('cannot decode');
  };
  expect(await progressOf(taskWith(json(1)), failing)).toBeUndefined();
});

test('a detail that cannot be shown is null beside others', async () => {
  expect(await progressOf(taskWith(payload('binary/plain', 'abc'), json(2)))).toEqual({
    progress: [null, 2],
  });
});

test('secrets are redacted', async () => {
  const key = `sk-proj-${'a1B2'.repeat(12)}`;
  const progress = await progressOf(
    taskWith(json({ note: `uses ${key}` })),
    createRedactingDecoder() as never,
  );
  expect(JSON.stringify(progress)).not.toContain('sk-proj');
  expect(progress).toMatchObject({ progress: { note: 'uses [redacted]' } });
});

test('progress above 2 KiB of JSON is omitted, with its size', async () => {
  const fits = 'x'.repeat(2_046);
  expect(await progressOf(taskWith(json(fits)))).toEqual({ progress: fits });
  const omitted = { progressOmitted: true, progressBytes: 2_049 };
  expect(await progressOf(taskWith(json(`${fits}x`)))).toEqual(omitted);
  expect(await progressOf(taskWith(json('é'.repeat(1_023)), json(1)))).toMatchObject({
    progressOmitted: true,
  });
});

test('details that are far too large, or too many, are not even decoded', async () => {
  const huge = taskWith(payload('binary/encrypted', 'x'.repeat(65_537)));
  const many = taskWith(...Array.from({ length: 21 }, (_, i) => json(i)));
  const decode = async (): Promise<never> => {
    throw new Error('nothing is decoded');
  };
  const read = await readProgress([huge, many], decode, decodePlainJson);
  expect(read.get(huge)).toEqual({ progressOmitted: true, progressBytes: 65_537 });
  expect(read.get(many)).toEqual({ progressOmitted: true, progressBytes: 32 });
});

test('the details of all tasks take one request to the codec', async () => {
  const tasks = [taskWith(json(1)), taskWith(), taskWith(json(2), json(3))];
  const requests: number[] = [];
  const decode = async (payloads: readonly Payload[]) => {
    requests.push(payloads.length);
    return payloads.map(({ data }) => json(Number(new TextDecoder().decode(data!)) * 10));
  };
  const read = await readProgress(tasks, decode, decodePlainJson);
  expect(tasks.map((task) => read.get(task))).toEqual([{ progress: 10 }, undefined, { progress: [20, 30] }]);
  expect(requests).toEqual([3]);
  const unavailable = async (): Promise<never> => {
    throw new Error('codec server unavailable');
  };
  await expect(readProgress(tasks, unavailable, decodePlainJson)).rejects.toThrow('codec server unavailable');
});
