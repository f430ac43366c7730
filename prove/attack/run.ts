// Runs one attack against a new server with an empty Redis and database, together with a victim.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { RedisServer } from '../../scripts/redis.ts';
import { compiledProgram } from '../../test/support/compiled-program.ts';
import { type Child, startChild } from '../stage/process.ts';
import { createServerProcess, type ServerProcess } from '../stage/server.ts';
import type { Attack } from './attack.ts';
import type { AttackTarget, FromAttacker, FromVictim, Measured, ToAttacker, ToVictim } from './messages.ts';

export interface AttackResult {
  readonly id: string;
  readonly title: string;
  /** Absent if the attack could not be prepared or the victim did not report. */
  readonly measured: Measured | undefined;
  /** Peak resident memory of the server, in MiB. */
  readonly peakRssMiB: number;
  readonly isDead: boolean;
  /**
   * How long the server's event loop was runnable without a processor, in percent of its time; a high value means
   * that other work on the machine distorts the measurements. Undefined if the kernel does not report it.
   */
  readonly starvedPercent: number | undefined;
  readonly responses: Readonly<Record<string, number>>;
  /** The problems that the attack itself or the run found. */
  readonly findings: readonly string[];
}

export interface AttackOptions {
  readonly attack: Attack;
  readonly seconds: number;
  /** The folder of the logs. */
  readonly folder: string;
  readonly redisBinary: string;
  readonly postgresUrl: string;
  readonly sharedKey: string;
}

/** The server's heap limit: a patch bomb must not exhaust the machine's memory. */
const HEAP_MIB = 2_048;
const PREPARE_MS = 180_000;
/** Timeout of the attacker's own check, after the time is up. */
const CHECK_MS = 15_000;
const REPORT_MS = 90_000;

export async function runAttack(options: AttackOptions): Promise<AttackResult> {
  const { attack, seconds, folder, sharedKey } = options;
  const { id, title } = attack;
  const ends: (() => Promise<unknown>)[] = [];
  try {
    const redis = await RedisServer.start({ binary: options.redisBinary });
    ends.push(() => redis.stop());
    const database = await createDatabase(options.postgresUrl, `attack_${id}`);
    ends.push(database.drop);
    const server = await createServerProcess({
      ...{ name: `server-${id}`, folder, node: [`--max-old-space-size=${HEAP_MIB}`] },
      env: {
        ...{ REDIS_URL: redis.url, DATABASE_URL: database.url, AUTH_SHARED_KEY: sharedKey },
        LOG_LEVEL: 'warn',
      },
    });
    ends.push(() => server.kill());
    await server.start();
    const memory = watchMemory(server);
    ends.push(async () => memory.stop());

    const target: AttackTarget = {
      ...{ url: `http://127.0.0.1:${server.port}`, redisUrl: redis.url, databaseUrl: database.url },
      sharedKey,
    };
    const start = async (file: string, settings: AttackTarget): Promise<Child> => {
      const program = await compiledProgram(`prove/attack/${file}.ts`);
      const child = startChild({
        run: [...program, JSON.stringify(settings)],
        log: join(folder, `${file}-${id}.log`),
        ipc: true,
      });
      ends.push(() => child.end('SIGKILL'));
      return child;
    };
    const victim = await start('victim', target);
    await message<FromVictim>(victim, 'ready', PREPARE_MS);
    const attacker = await start('attacker', { ...target, attackId: id, seconds } as AttackTarget);
    const prepared = await message<FromAttacker>(attacker, 'ready', PREPARE_MS);
    if (prepared?.is !== 'ready') {
      const why = prepared?.is === 'failed' ? prepared.why : 'the attacker did not start';
      const findings = [`could not be prepared: ${why}`];
      return { ...unmeasured(id, title), peakRssMiB: memory.peakMiB(), isDead: !server.pid, findings };
    }

    const processor = watchProcessor(server.pid!);
    send(victim, { do: 'measure' });
    send(attacker, { do: 'attack' });
    const done = await message<FromAttacker>(attacker, 'done', seconds * 1_000 + CHECK_MS);
    const starvedPercent = processor.starvedPercent();
    const isDead = server.pid === undefined;
    send(victim, { do: 'report', isServerDead: isDead });
    const report = await message<FromVictim>(victim, 'measured', REPORT_MS);
    const { responses, findings } = done?.is === 'done' ? done : { responses: {}, findings: NO_REPORT };
    return {
      ...{ id, title, responses, findings, starvedPercent },
      measured: report?.is === 'measured' ? report.measured : undefined,
      peakRssMiB: memory.peakMiB(),
      isDead: server.pid === undefined,
    };
  } finally {
    for (const end of ends.reverse()) await end().catch(() => {});
  }
}

const NO_REPORT = ['the attacker did not report'];

function unmeasured(id: string, title: string) {
  return { id, title, measured: undefined, starvedPercent: undefined, responses: {} };
}

function send(child: Child, what: ToVictim | ToAttacker): void {
  if (child.isRunning && child.process.connected) child.process.send(what, () => {});
}

/**
 * Waits for a message of this kind or for `failed`; undefined if the process exits first or the timeout is over.
 */
function message<T extends { readonly is: string }>(
  child: Child,
  is: T['is'],
  timeoutMs: number,
): Promise<T | undefined> {
  return new Promise((resolve) => {
    const settle = (received: T | undefined): void => {
      clearTimeout(timer);
      child.process.off('message', take);
      resolve(received);
    };
    const take = (received: T): void => {
      if (received.is === is || received.is === 'failed') settle(received);
    };
    const timer = setTimeout(settle, timeoutMs, undefined);
    child.process.on('message', take);
    void child.exited.then(() => settle(undefined));
  });
}

/** The kernel records the peak. It is polled, because it disappears with the process. */
function watchMemory(server: ServerProcess) {
  let peakMiB = 0;
  const poll = (): void => {
    try {
      const status = readFileSync(`/proc/${server.pid}/status`, 'latin1');
      peakMiB = Math.max(peakMiB, Math.round(Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1_024));
    } catch {
      // The process has exited, or this is not Linux.
    }
  };
  const timer = setInterval(poll, 100);
  return {
    peakMiB() {
      poll();
      return peakMiB;
    },
    stop: () => clearInterval(timer),
  };
}

/** How long the main thread of a process ran, and how long it waited for a processor. */
function watchProcessor(pid: number) {
  const read = (): readonly number[] => {
    try {
      return readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'latin1').split(' ').map(Number);
    } catch {
      return [];
    }
  };
  const [ranBefore, waitedBefore] = read();
  return {
    starvedPercent(): number | undefined {
      const [ran, waited] = read();
      if (waited === undefined || waitedBefore === undefined) return undefined;
      const waitedFor = waited - waitedBefore;
      const total = ran! - ranBefore! + waitedFor;
      return total > 0 ? Math.round((100 * waitedFor) / total) : 0;
    },
  };
}

async function createDatabase(serverUrl: string, name: string) {
  const run = async (sql: string): Promise<void> => {
    const client = new pg.Client({ connectionString: serverUrl });
    await client.connect();
    try {
      await client.query(sql);
    } finally {
      await client.end();
    }
  };
  await run(`CREATE DATABASE ${name}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  const drop = async (): Promise<void> => {
    // Its server was killed just before: its connections may still be closing.
    await sleep(50);
    await run(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  };
  return { url: url.href, drop };
}
