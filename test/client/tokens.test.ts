// The token of a client: one request at a time, however many streams need a new one.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createTokens } from '../../src/client/tokens.ts';

beforeEach(() => void vi.useFakeTimers({ now: 1_000 }));
afterEach(() => void vi.useRealTimers());

describe('tokens', () => {
  test('of a client without a function are always the same', async () => {
    expect(createTokens(undefined).canRenew).toBe(false);
    expect(await createTokens(undefined).get(1e15)).toBeUndefined();
    expect(await createTokens('t').get(1e15)).toBe('t');
  });

  test('are requested once for all streams that need one', async () => {
    const source = vi.fn(async () => `t${source.mock.calls.length}`);
    const tokens = createTokens(source);
    expect(tokens.canRenew).toBe(true);
    expect(await Promise.all([tokens.get(0), tokens.get(500), tokens.get(999)])).toEqual(['t1', 't1', 't1']);
    expect(await tokens.get(999)).toBe('t1');
    expect(source).toHaveBeenCalledTimes(1);
  });

  test('are requested again if the latest one is not new enough', async () => {
    const source = vi.fn(() => `t${source.mock.calls.length}`);
    const tokens = createTokens(source);
    expect(await tokens.get(0)).toBe('t1');
    vi.setSystemTime(2_000);
    expect(await Promise.all([tokens.get(1_000), tokens.get(1_500)])).toEqual(['t2', 't2']);
    expect(await tokens.get(1_999)).toBe('t2');
  });

  test('are requested again after an error, which every waiting stream gets', async () => {
    const source = vi.fn(async () => 't');
    source.mockRejectedValueOnce(new Error('offline'));
    const tokens = createTokens(source);
    const first = [tokens.get(0), tokens.get(0)];
    for (const each of first) await expect(each).rejects.toThrow('offline');
    expect(await tokens.get(0)).toBe('t');
    expect(source).toHaveBeenCalledTimes(2);
  });

  test('that were rejected are replaced once for all that used them, also in the same millisecond', async () => {
    const source = vi.fn(async () => `t${source.mock.calls.length}`);
    const tokens = createTokens(source);
    expect(await tokens.get(0)).toBe('t1');
    expect(await Promise.all([tokens.get(0, 't1'), tokens.get(0, 't1')])).toEqual(['t2', 't2']);
    expect(await tokens.get(0, 't1')).toBe('t2');
    expect(await tokens.get(0, 't2')).toBe('t3');
    expect(await createTokens('t').get(0, 't')).toBe('t');
  });

  test('are replaced again after an error', async () => {
    const source = vi.fn(async () => 't2');
    source.mockResolvedValueOnce('t1').mockRejectedValueOnce(new Error('offline'));
    const tokens = createTokens(source);
    expect(await tokens.get(0)).toBe('t1');
    await expect(tokens.get(0, 't1')).rejects.toThrow('offline');
    expect(await tokens.get(0, 't1')).toBe('t2');
  });

  test('of a function that throws are an error, not an exception', async () => {
    const tokens = createTokens(() => {
      throw new Error('no session');
    });
    await expect(tokens.get(0)).rejects.toThrow('no session');
  });

  test('are requested again if the function has not returned for 30 s', async () => {
    const source = vi.fn(async () => 't2');
    source.mockReturnValueOnce(new Promise<string>(() => {}));
    const tokens = createTokens(source);
    void tokens.get(0);
    vi.setSystemTime(30_999);
    void tokens.get(0);
    expect(source).toHaveBeenCalledTimes(1);
    vi.setSystemTime(31_000);
    expect(await tokens.get(0)).toBe('t2');
    expect(await tokens.get(0)).toBe('t2');
    expect(source).toHaveBeenCalledTimes(2);
  });
});
