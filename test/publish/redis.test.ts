// Publishing to a real Redis that becomes unavailable, loses its last data, or has the attempt of another worker.
// OUTAGE_SECONDS=30 makes the outage longer; the measured numbers are printed.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import type { EventLog } from '../../src/log/log.ts';
import { createRedisLog } from '../../src/log/redis/redis-log.ts';
import { createPublisher, createRedisLogWriter } from '../../src/worker.ts';
import { compiledProgram } from '../support/compiled-program.ts';
import { createMemoryStore } from '../support/memory-store.ts';
import { describeOwnRedis, startRedis } from '../support/redis.ts';
import { until } from '../support/wait.ts';
import { foldLog } from './fold.ts';

const OUTAGE_MS = Number(process.env.OUTAGE_SECONDS ?? 3) * 1_000;

/** A worker's publisher on a Redis, and a server's log to read what it publishes. */
function connect(url: string, limits: Parameters<typeof createPublisher>[0]['limits'] = {}) {
  const writer = createRedisLogWriter({ redis: url, commandTimeoutMs: 1_000 });
  const log: EventLog = createRedisLog({ redis: url, commandTimeoutMs: 1_000 });
  const store = createMemoryStore();
  const publisher = createPublisher({ log: writer, store, limits });
  return {
    log,
    publisher,
    async [Symbol.asyncDispose]() {
      await publisher.close();
      await Promise.all([writer.close(), log.close()]);
    },
  };
}

describeOwnRedis('a Redis that is unavailable while a fast publisher runs', () => {
  test.each([
    ['killed', 'restarted with its data', true],
    ['killed', 'restarted without data', false],
    ['frozen', 'continued', true],
  ] as const)(
    '%s and %s: blocking and memory stay within their limits, and the text is complete',
    async (how, _, appendonly) => {
      await using redis = await startRedis({ appendonly });
      const waiting = { outboxBytes: 256 * 1024, highWaterBytes: 64 * 1024, blockMs: 200, callMs: 1_000 };
      // All of the text can be resent; the default is 1 MiB of it (faults.test.ts tests longer texts).
      const limits = { ...waiting, heldTextBytes: 64 * 1024 * 1024 };
      await using worker = connect(redis.url, limits);
      const run = await worker.publisher.begin({ kind: 'agent', id: 'fast' });
      const most = { blockedMs: 0, queuedBytes: 0, heapMb: 0 };
      let text = '';
      let n = 0;
      /** Publishes for a time, and at least a number of bytes: a busy machine publishes slowly. */
      async function publishFor(ms: number, minBytes = 0): Promise<void> {
        const until = performance.now() + ms;
        const units = text.length + minBytes;
        while (performance.now() < until || text.length < units) {
          // Words that resemble no secret; about 0.5 MB per second.
          const piece = `${n++} ${'lorem ipsum '.repeat(40)}\n`;
          text += piece;
          const from = performance.now();
          await run.text(piece);
          if (n % 50 === 0) await run.toolCall({ toolCallId: `t${n}`, toolName: 'n', status: 'started' });
          most.blockedMs = Math.max(most.blockedMs, performance.now() - from);
          most.queuedBytes = Math.max(most.queuedBytes, run.stats.queuedBytes);
          await new Promise((resolve) => setTimeout(resolve, 1));
        }
      }
      await publishFor(300);
      const heapBefore = process.memoryUsage().heapUsed;
      if (how === 'killed') await redis.kill();
      else redis.freeze();
      await publishFor(OUTAGE_MS, 2 * limits.outboxBytes);
      most.heapMb = (process.memoryUsage().heapUsed - heapBefore) / 2 ** 20;
      if (how === 'killed') await redis.restart();
      else redis.thaw();
      await publishFor(300);
      expect(await run.complete()).toBe(true);

      const { text: seen, resets, warnings } = await foldLog(worker.log, 'fast');
      console.log(
        `${how} for ${OUTAGE_MS} ms while ${Math.round(text.length / 1024)} KiB were published: the longest call ` +
          `took ${Math.round(most.blockedMs)} ms (limit ${limits.blockMs}), up to ${Math.round(most.queuedBytes / 1024)} KiB ` +
          `waited (limit ${limits.outboxBytes / 1024}), the heap grew by ${most.heapMb.toFixed(1)} MiB (including the ` +
          `text), ${run.stats.dropped} other events were dropped, resets: ${resets.join(', ')}`,
      );
      expect(seen === text).toBe(true);
      expect(warnings).toEqual([]);
      expect(resets.length).toBeGreaterThan(0);
      // A timer may fire late on a busy machine.
      expect(most.blockedMs).toBeLessThan(limits.blockMs + 300);
      expect(most.queuedBytes).toBeLessThan(limits.outboxBytes + 4 * 1024);
      if (appendonly) expect(run.stats.dropped).toBeGreaterThan(0);
    },
    OUTAGE_MS + 30_000,
  );
});

describeOwnRedis('a Redis that has lost its last data', () => {
  test.each(['TEXT', 'STRUCTURED'] as const)(
    '%s: an older snapshot with the same epoch is detected, and the content is resent',
    async (mode) => {
      await using redis = await startRedis();
      await using worker = connect(redis.url);
      const run = await worker.publisher.begin({ kind: 'agent', id: 'older', mode });
      const words: string[] = [];
      const publish = async (word: string): Promise<void> => {
        words.push(word);
        await (mode === 'TEXT' ? run.text(word) : run.value({ words: [...words] }));
        await until(() => run.stats.queuedBytes === 0);
      };
      await publish('one ');
      const client = new Redis(redis.url);
      await client.save();
      const before = (await worker.log.head('older'))!;
      client.disconnect();
      await publish('two ');
      await publish('three ');
      await redis.kill();
      await redis.restart();
      await until(async () => (await worker.log.head('older'))!.head === before.head);
      expect((await worker.log.head('older'))!.epoch).toBe(before.epoch);
      await publish('four ');
      await run.complete();
      const folded = await foldLog(worker.log, 'older');
      expect(folded.resets).toEqual(['log_lost']);
      expect(folded.events[0]!.id).not.toContain(before.epoch);
      if (mode === 'TEXT') expect(folded.text).toBe('one two three four ');
      else expect(folded.value).toEqual({ words: ['one ', 'two ', 'three ', 'four '] });
    },
  );
});

describeOwnRedis('two worker processes', () => {
  async function startWorker(url: string, id: string, attempt: number, words: number) {
    const program = await compiledProgram('test/publish/worker-process.ts');
    const args = [...program, url, id, `${attempt}`, `${words}`];
    const child: ChildProcess = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const lines: string[] = [];
    createInterface({ input: child.stdout! }).on('line', (line) => lines.push(line));
    const exited = once(child, 'exit');
    return {
      child,
      lines,
      exited,
      async [Symbol.asyncDispose]() {
        child.kill('SIGKILL');
        await exited;
      },
    };
  }
  const textBy = (attempt: number, words: number): string =>
    Array.from({ length: words }, (_, i) => `${attempt}.${i + 1} `).join('');
  const textOf = async (log: EventLog, id: string): Promise<string> => (await foldLog(log, id)).text;

  test('after a worker is killed in the middle of a text, viewers have exactly the text of the next attempt', async () => {
    await using redis = await startRedis();
    await using viewer = connect(redis.url);
    await using first = await startWorker(redis.url, 'killed', 1, 10_000);
    await until(async () => (await textOf(viewer.log, 'killed')).includes('1.20 '), { timeoutMs: 15_000 });
    first.child.kill('SIGKILL');
    await first.exited;
    await using second = await startWorker(redis.url, 'killed', 2, 30);
    await until(() => second.lines.includes('ended true'), { timeoutMs: 15_000 });
    const { text, resets, ends, events } = await foldLog(viewer.log, 'killed');
    expect(text).toBe(textBy(2, 30));
    expect(resets).toEqual(['attempt']);
    expect(ends[0]!.data).toMatchObject({ result: text });
    expect(events.find(({ type }) => type === 'reset')!.attempt).toBe(2);
  }, 60_000);

  test('a worker that is paused and continues during the next attempt is rejected, aborts, and appends nothing', async () => {
    await using redis = await startRedis();
    await using viewer = connect(redis.url);
    await using first = await startWorker(redis.url, 'paused', 1, 10_000);
    await until(async () => (await textOf(viewer.log, 'paused')).includes('1.20 '), { timeoutMs: 15_000 });
    first.child.kill('SIGSTOP');
    await using second = await startWorker(redis.url, 'paused', 2, 300);
    await until(async () => (await textOf(viewer.log, 'paused')).includes('2.5 '), { timeoutMs: 15_000 });
    first.child.kill('SIGCONT');
    await until(() => first.lines.includes('aborted SUPERSEDED'), { timeoutMs: 15_000 });
    await first.exited;
    expect(first.lines).toEqual(['begun', 'aborted SUPERSEDED', 'ended false']);
    await until(() => second.lines.includes('ended true'), { timeoutMs: 15_000 });
    const { text, resets, events, ends } = await foldLog(viewer.log, 'paused');
    expect(text).toBe(textBy(2, 300));
    expect(resets).toEqual(['attempt']);
    expect(ends).toHaveLength(1);
    const from = events.findIndex(({ type }) => type === 'reset');
    expect(new Set(events.slice(from).map(({ attempt }) => attempt))).toEqual(new Set([2]));
  }, 60_000);
});
