// Which streams are admitted.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ANONYMOUS, type Caller } from '../../src/execution/permission.ts';
import { StreamAdmission } from '../../src/tail/stream-admission.ts';

const ann: Caller = { id: 'ann', tenant: 'a' };
const rejected = (code: string, pattern: RegExp) =>
  expect.objectContaining({ code, message: expect.stringMatching(pattern) });

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => void vi.useRealTimers());

describe('a node', () => {
  test('a node admits 10,000 streams by default, 500 of one caller', () => {
    const admission = new StreamAdmission();
    for (let i = 0; i < 500; i += 1) admission.admit(ann);
    expect(() => admission.admit(ann)).toThrow(/\(limit 500\)/);
    for (let i = 500; i < 10_000; i += 1) admission.admit(ANONYMOUS);
    expect(() => admission.admit(ANONYMOUS)).toThrow(/\(10000\)/);
  });

  test('a node rejects streams above its limit, and admits one again after another has closed', () => {
    const admission = new StreamAdmission({ perNode: 2 });
    const leave = admission.admit(ANONYMOUS);
    admission.admit(ann);
    expect(() => admission.admit(ann)).toThrow(rejected('CAPACITY', /\(2\)/));
    leave();
    admission.admit(ann);
  });
});

describe('a caller', () => {
  test('a caller is limited regardless of the streams of others', () => {
    const admission = new StreamAdmission({ perCaller: 2 });
    const leave = admission.admit(ann);
    admission.admit({ ...ann });
    expect(() => admission.admit(ann)).toThrow(rejected('TOO_MANY_STREAMS', /limit 2\)/));
    admission.admit({ id: 'ann', tenant: 'b' });
    admission.admit({ id: 'bob', tenant: 'a' });
    leave();
    vi.advanceTimersByTime(1_000);
    admission.admit(ann);
  });

  test('a caller may open all streams in a burst, and a limited number per second from then on', () => {
    const admission = new StreamAdmission({ perCaller: 10, newPerSecond: 2 });
    for (let i = 0; i < 10; i += 1) admission.admit(ann)();
    expect(() => admission.admit(ann)).toThrow(rejected('TOO_MANY_STREAMS', /2 per second/));
    vi.advanceTimersByTime(999);
    admission.admit(ann)();
    expect(() => admission.admit(ann)).toThrow();
    vi.advanceTimersByTime(60_000);
    for (let i = 0; i < 10; i += 1) admission.admit(ann)();
    expect(() => admission.admit(ann)).toThrow();
  });

  test('a caller that opens streams too fast gets the time after which to retry, in full seconds', () => {
    const admission = new StreamAdmission({ perCaller: 1, newPerSecond: 0.4 });
    admission.admit(ann)();
    expect(() => admission.admit(ann)).toThrow(
      expect.objectContaining({
        code: 'TOO_MANY_STREAMS',
        message: 'too many new streams for this caller (limit 0.4 per second)',
        retryAfterSeconds: 3,
      }),
    );
    vi.advanceTimersByTime(2_500);
    admission.admit(ann);
    expect(() => admission.admit(ann)).toThrow(
      expect.objectContaining({ message: 'too many open streams for this caller (limit 1)' }),
    );
  });

  test('a caller that is rejected takes no place of the node', () => {
    const admission = new StreamAdmission({ perNode: 2, perCaller: 1 });
    admission.admit(ann);
    for (let i = 0; i < 3; i += 1) expect(() => admission.admit(ann)).toThrow(/this caller/);
    admission.admit(ANONYMOUS);
    expect(() => admission.admit(ANONYMOUS)).toThrow('server is at its stream limit (2)');
  });

  test('callers that cannot be distinguished have no limit', () => {
    const admission = new StreamAdmission({ perCaller: 1, newPerSecond: 1 });
    for (let i = 0; i < 100; i += 1) admission.admit(ANONYMOUS);
  });
});
