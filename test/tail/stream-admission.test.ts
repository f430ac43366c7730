// Which streams are taken on.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ANONYMOUS, type Caller } from '../../src/execution/permission.ts';
import { StreamAdmission } from '../../src/tail/stream-admission.ts';

const ann: Caller = { id: 'ann', tenant: 'a' };
const refused = (code: string, words: RegExp) =>
  expect.objectContaining({ code, message: expect.stringMatching(words) });

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => void vi.useRealTimers());

describe('a node', () => {
  test('takes no more than it may, and again once one has left', () => {
    const admission = new StreamAdmission({ perNode: 2 });
    const leave = admission.admit(ANONYMOUS);
    admission.admit(ann);
    expect(() => admission.admit(ann)).toThrow(refused('CAPACITY', /\(2\)/));
    leave();
    admission.admit(ann);
  });
});

describe('a caller', () => {
  test('has no more than they may, whatever others have', () => {
    const admission = new StreamAdmission({ perCaller: 2 });
    const leave = admission.admit(ann);
    admission.admit({ ...ann });
    expect(() => admission.admit(ann)).toThrow(refused('TOO_MANY_STREAMS', /limit 2/));
    admission.admit({ id: 'ann', tenant: 'b' });
    admission.admit({ id: 'bob', tenant: 'a' });
    leave();
    vi.advanceTimersByTime(1_000);
    admission.admit(ann);
  });

  test('may open all streams at once, and so many new ones a second from then on', () => {
    const admission = new StreamAdmission({ perCaller: 10, newPerSecond: 2 });
    for (let i = 0; i < 10; i += 1) admission.admit(ann)();
    expect(() => admission.admit(ann)).toThrow(refused('TOO_MANY_STREAMS', /limit 2 per second/));
    vi.advanceTimersByTime(999);
    admission.admit(ann)();
    expect(() => admission.admit(ann)).toThrow();
    vi.advanceTimersByTime(60_000);
    for (let i = 0; i < 10; i += 1) admission.admit(ann)();
    expect(() => admission.admit(ann)).toThrow();
  });

  test('while nobody is told from another there is no such limit', () => {
    const admission = new StreamAdmission({ perCaller: 1, newPerSecond: 1 });
    for (let i = 0; i < 100; i += 1) admission.admit(ANONYMOUS);
  });
});
