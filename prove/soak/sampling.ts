// Measurements of a server: memory, handles, and its keys and subscriptions in Redis.
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RedisStage } from '../stage/redis.ts';

/** The measures: memory in MiB, the others as counts. */
export const MEASURES = ['heap', 'rss', 'handles', 'subscriptions', 'leases'] as const;
export type Measure = (typeof MEASURES)[number];
export type Measured = Readonly<Record<Measure, number>>;

export interface Sampling {
  take(): Promise<Measured>;
}

const MIB = 1024 * 1024;
const TIMEOUT_MS = 20_000;

/** @param file the file to which the server writes its heap's size on SIGUSR2 (on-signal.js). */
export function createSampling(pid: number, file: string, redis: RedisStage): Sampling {
  async function heap(): Promise<number> {
    rmSync(file, { force: true });
    process.kill(pid, 'SIGUSR2');
    const deadline = Date.now() + TIMEOUT_MS;
    for (;;) {
      const text = readIfExists(file);
      if (text !== undefined) {
        const { heapUsed, external } = JSON.parse(text) as { heapUsed: number; external: number };
        return (heapUsed + external) / MIB;
      }
      if (Date.now() > deadline)
        throw new Error(`the server did not report its heap within ${TIMEOUT_MS} ms`);
      await sleep(20);
    }
  }

  return {
    take: async () => ({
      heap: await heap(),
      rss: residentMiB(pid),
      handles: readdirSync(`/proc/${pid}/fd`).length,
      subscriptions: await redis.subscriptions(),
      leases: await redis.count('*lease*'),
    }),
  };
}

function readIfExists(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function residentMiB(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kib) / 1024;
}
