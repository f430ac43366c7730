// The contract of leases and their fencing tokens.
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { freshId, logs, type MakeLog, request, take } from '../log/logs.ts';
import { chunk } from '../log/recorder.ts';

const LONG_MS = 60_000;

export function leaseContract(make: MakeLog): void {
  describe('leases', () => {
    const newLog = logs(make);

    test('the note of a lease is kept until the next renewal without it, and removed with the lease', async () => {
      const log = newLog();
      const id = freshId();
      expect(await log.readLeaseNote(id)).toBeUndefined();
      const fence = (await log.takeLease(id, 'a', LONG_MS))!;
      expect(await log.readLeaseNote(id)).toBeUndefined();
      await log.renewLease(id, fence, LONG_MS, 'no worker');
      expect(await log.readLeaseNote(id)).toBe('no worker');
      await log.renewLease(id, fence - 1, LONG_MS, 'from an older token');
      expect(await log.readLeaseNote(id)).toBe('no worker');
      await log.renewLease(id, fence, LONG_MS);
      expect(await log.readLeaseNote(id)).toBeUndefined();
      await log.renewLease(id, fence, LONG_MS, 'again');
      await log.dropLease(id, fence);
      expect(await log.readLeaseNote(id)).toBeUndefined();
    });

    test('the lease of an execution has one holder at a time', async () => {
      const log = newLog();
      const id = freshId();
      const taken = await Promise.all(['a', 'b', 'c'].map((holder) => log.takeLease(id, holder, LONG_MS)));
      expect(taken.filter((fence) => fence !== undefined)).toHaveLength(1);
      expect(await log.takeLease(freshId(), 'b', LONG_MS)).toEqual(expect.any(Number));
    });

    test('a lease that has expired is free, and its old token neither renews nor releases it', async () => {
      const log = newLog();
      const id = freshId();
      const old = (await log.takeLease(id, 'a', 30))!;
      await sleep(60);
      expect(await log.renewLease(id, old, LONG_MS)).toBe(false);
      const next = (await log.takeLease(id, 'b', LONG_MS))!;
      expect(next).toBeGreaterThan(old);
      expect(await log.renewLease(id, old, LONG_MS)).toBe(false);
      await log.dropLease(id, old);
      expect(await log.takeLease(id, 'a', LONG_MS)).toBeUndefined();
    });

    test('a renewed lease is extended, and a released one is free immediately', async () => {
      const log = newLog();
      const id = freshId();
      const first = (await log.takeLease(id, 'a', 80))!;
      expect(await log.renewLease(id, first, LONG_MS)).toBe(true);
      await sleep(100);
      expect(await log.takeLease(id, 'b', LONG_MS)).toBeUndefined();
      await log.dropLease(id, first);
      expect(await log.takeLease(id, 'b', LONG_MS)).toBeGreaterThan(first);
    });

    test('a holder may take its lease again, with a newer token that supersedes the older one', async () => {
      const log = newLog();
      const id = freshId();
      const first = (await log.takeLease(id, 'a', LONG_MS))!;
      const second = (await log.takeLease(id, 'a', LONG_MS))!;
      expect(second).toBeGreaterThan(first);
      expect(await log.renewLease(id, first, LONG_MS)).toBe(false);
      expect(await log.renewLease(id, second, LONG_MS)).toBe(true);
    });

    test('a token is above every token that the log has seen', async () => {
      const log = newLog();
      const id = freshId();
      const seen = Date.now() * 1_000;
      await take(log, id, { fence: seen });
      expect(await log.takeLease(id, 'a', LONG_MS)).toBeGreaterThan(seen);
    });

    test('a relay that was paused is fenced by the token of the next relay', async () => {
      const log = newLog();
      const id = freshId();
      const old = (await log.takeLease(id, 'paused', 20))!;
      const head = await take(log, id, { fence: old });
      expect(await log.append(id, request(head, [chunk('a')], { fence: old }))).toMatchObject({ head: 1 });
      await sleep(40);
      const next = (await log.takeLease(id, 'next', LONG_MS))!;
      await take(log, id, { fence: next });
      expect(await log.append(id, request(head, [chunk('b')], { fence: old }))).toEqual({
        outcome: 'fenced',
      });
      expect(await log.open(id, { numbering: 'auto', attempt: 1, fence: old })).toEqual({
        outcome: 'fenced',
      });
      expect(await log.append(id, request(head, [chunk('b')], { fence: next }))).toMatchObject({ head: 2 });
    });
  });
}
