// The contract of publisher liveness: heartbeats and the silences since.
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { freshId, logs, type MakeLog } from '../log/logs.ts';

export function livenessContract(make: MakeLog): void {
  describe('publisher liveness', () => {
    const newLog = logs(make);

    test('an execution without a heartbeat has no silence', async () => {
      const log = newLog();
      const id = freshId();
      expect(await log.silenceMs(id)).toBeUndefined();
      await log.removeHeartbeat(id);
      expect(await log.silenceMs(id)).toBeUndefined();
    });

    test('a silence grows from the last heartbeat, and each heartbeat ends it', async () => {
      const log = newLog();
      const id = freshId();
      await log.recordHeartbeat(id);
      expect(await log.silenceMs(id)).toBeLessThan(1_000);
      await sleep(60);
      expect(await log.silenceMs(id)).toBeGreaterThanOrEqual(50);
      await log.recordHeartbeat(id);
      expect(await log.silenceMs(id)).toBeLessThan(50);
    });

    test('the silences of many executions are returned in the order of the request', async () => {
      const log = newLog();
      const [first, second] = [freshId(), freshId()];
      await log.recordHeartbeat(second);
      await sleep(60);
      await log.recordHeartbeat(first);
      const [one, unknown, two] = await log.silencesMs([first, freshId(), second]);
      expect(unknown).toBeUndefined();
      expect(two! - one!).toBeGreaterThanOrEqual(50);
      await Promise.all([first, second].map((id) => log.removeHeartbeat(id)));
    });

    test('a missing heartbeat is recorded as of now, and one that exists is not changed', async () => {
      const log = newLog();
      const [known, missing, alsoMissing] = [freshId(), freshId(), freshId()];
      await log.recordMissingHeartbeats([]);
      await log.recordHeartbeat(known);
      await sleep(60);
      await log.recordMissingHeartbeats([missing, known, alsoMissing]);
      const [first, second, third] = await log.silencesMs([known, missing, alsoMissing]);
      expect(first).toBeGreaterThanOrEqual(50);
      expect(second).toBeLessThan(50);
      expect(third).toBeLessThan(50);
      await sleep(60);
      await log.recordMissingHeartbeats([missing]);
      expect(await log.silenceMs(missing)).toBeGreaterThanOrEqual(50);
      await Promise.all([known, missing, alsoMissing].map((id) => log.removeHeartbeat(id)));
    });

    test('1,000 missing heartbeats are recorded by one call', async () => {
      const log = newLog();
      const ids = Array.from({ length: 1_000 }, () => freshId());
      await log.recordMissingHeartbeats(ids);
      const silences = await log.silencesMs(ids);
      expect(silences.filter((ms) => ms !== undefined)).toHaveLength(1_000);
      for (const id of ids) await log.removeHeartbeat(id);
    });

    test('silent executions are found longest first up to the limit, without those alive or removed', async () => {
      const log = newLog();
      const [a, b, c, alive] = [freshId(), freshId(), freshId(), freshId()];
      for (const id of [b, a, c, alive, b]) {
        await log.recordHeartbeat(id);
        await sleep(5);
      }
      await sleep(150);
      await log.recordHeartbeat(alive);
      const mine = async (limit: number) =>
        (await log.findSilent(100, limit)).filter((id) => [a, b, c, alive].includes(id));
      expect(await mine(1_000)).toEqual([a, c, b]);
      await log.removeHeartbeat(c);
      expect(await mine(1_000)).toEqual([a, b]);
      expect(await log.findSilent(100, 1)).toHaveLength(1);
      expect(await log.findSilent(60_000, 1_000)).toEqual([]);
      await Promise.all([a, b, alive].map((id) => log.removeHeartbeat(id)));
    });
  });
}
