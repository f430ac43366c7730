// Fields that an event lacks because they do not fit, with their sizes in their place.
import { describe, expect, test } from 'vitest';
import type { EventData } from '../../src/event/events.ts';
import { jsonBytes } from '../../src/event/json.ts';
import { fitData, withoutFields } from '../../src/event/omit-fields.ts';

const call = { toolCallId: 't', toolName: 'n', status: 'succeeded' } as const;
const ARGS_OMITTED = { ...call, argsOmitted: true, argsBytes: 42 };

/** A text whose JSON has this many bytes. */
const textOf = (bytes: number) => 'é'.repeat((bytes - 2) / 2);

const fitCall = (data: EventData['tool_call'], sizes: { data: number; part: number }) =>
  fitData('tool_call', data, { message: 0, ...sizes });

describe('the data of an event', () => {
  test('is returned unchanged if it fits into a part, or into the limit of data without the omitted fields', () => {
    const data = { ...call, args: textOf(42) };
    const bytes = jsonBytes(data);
    expect(fitCall(data, { data: 0, part: bytes })).toBe(data);
    const rest = jsonBytes(ARGS_OMITTED);
    expect(fitCall(data, { data: bytes, part: rest })).toBe(data);
    expect(fitCall(data, { data: bytes - 1, part: rest })).toStrictEqual(ARGS_OMITTED);
  });

  test('lacks the larger field first, and the other one only if that is not enough', () => {
    const data = { ...call, args: textOf(42), result: textOf(400) };
    const [withoutResult, withoutBoth] = withoutFields('tool_call', data);
    expect(withoutResult).toStrictEqual({ ...call, args: data.args, resultOmitted: true, resultBytes: 400 });
    expect(withoutBoth).toStrictEqual({ ...ARGS_OMITTED, resultOmitted: true, resultBytes: 400 });
    const part = jsonBytes(withoutBoth);
    const bytes = jsonBytes(withoutResult);
    expect(fitCall(data, { data: bytes, part })).toStrictEqual(withoutResult);
    expect(fitCall(data, { data: bytes - 1, part })).toStrictEqual(withoutBoth);
    const larger = { ...call, args: textOf(400), result: textOf(42) };
    expect(fitCall(larger, { data: bytes, part })).toMatchObject({
      argsOmitted: true,
      result: larger.result,
    });
  });

  test('is rejected if it does not fit without those fields either', () => {
    const data = { ...call, error: 'x'.repeat(200), args: textOf(42) };
    const rest = jsonBytes({ ...data, args: undefined, argsOmitted: true, argsBytes: 42 });
    expect(() => fitCall(data, { data: 1_000, part: rest - 1 })).toThrow(
      expect.objectContaining({
        code: 'EVENT_TOO_LARGE',
        message: `tool_call has ${rest} bytes of data; an event may have ${rest - 1}`,
      }),
    );
    expect(fitCall(data, { data: 1_000, part: rest })).toBe(data);
  });

  test('of a type without such fields has to fit into a part', () => {
    const data = { code: 'C', message: 'x'.repeat(100) };
    const bytes = jsonBytes(data);
    expect(fitData('warning', data, { message: 0, data: 1_000, part: bytes })).toBe(data);
    expect(() => fitData('warning', data, { message: 0, data: 1_000, part: bytes - 1 })).toThrow(
      `warning has ${bytes} bytes of data`,
    );
    expect(withoutFields('warning', data)).toEqual([]);
  });

  test('reports no field as omitted that was never there', () => {
    expect(withoutFields('tool_call', call)).toEqual([]);
    expect(withoutFields('tool_call', { ...call, args: undefined as never, result: null })).toEqual([
      { ...call, args: undefined, resultOmitted: true, resultBytes: 4 },
    ]);
  });

  test('of `complete` may lack its result, of a gap its text or value, and of a task its progress', () => {
    const status = { status: 'RUNNING', taskId: 't' } as const;
    expect(withoutFields('task_status', { ...status, progress: [1] })).toStrictEqual([
      { ...status, progressOmitted: true, progressBytes: 3 },
    ]);
    const end = { status: 'SUCCESS', durationMs: 1 } as const;
    expect(withoutFields('complete', { ...end, result: [1] })).toStrictEqual([
      { ...end, resultOmitted: true, resultBytes: 3 },
    ]);
    const gap = { fromSeq: 1, toSeq: 2 };
    expect(withoutFields('gap', { ...gap, text: 'abc' })).toStrictEqual([
      { ...gap, textOmitted: true, textBytes: 5 },
    ]);
    expect(withoutFields('gap', { ...gap, value: {} })).toStrictEqual([
      { ...gap, valueOmitted: true, valueBytes: 2 },
    ]);
  });
});
