// Runs one attack against a fresh server over a fresh Redis and a fresh database, with a victim beside it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { RedisServer } from '../../scripts/redis.ts';
import { type Child, startChild } from '../stage/process.ts';
import { createServerProcess, type ServerProcess } from '../stage/server.ts';
import type { Attack } from './attack.ts';
import type { FromAttacker, FromVictim, Ground, Measured, ToAttacker, ToVictim } from './messages.ts';

export interface AttackResult {
  readonly id: string;
  readonly title: string;
  /** Absent where the attack could not be prepared or the victim did not report. */
  readonly measured: Measured | undefined;
  /** Peak resident memory of the server, in MiB. */
  readonly peakRssMiB: number;
  readonly isDead: boolean;
  /**
   * For how much of its time the server's event loop was ready to run and had no processor, in percent; measurements of a
   * machine that is busy with other work are to be read with this. Undefined where the kernel does not tell.
   */
  readonly starvedPercent: number | undefined;
  readonly answers: Readonly<Record<string, number>>;
  /** What the attack itself, or the run, found wrong. */
  readonly findings: readonly string[];
}

export interface AttackOptions {
  readonly attack: Attack;
  readonly seconds: number;
  /** Where logs go. */
  readonly folder: string;
  readonly redisBinary: string;
  readonly postgresUrl: string;
  readonly sharedKey: string;
}

/** The heap of the server: a patch bomb must not take the machine's memory with it. */
const HEAP_MIB = 2_048;
const PREPARE_MS = 180_000;
/** What the attacker's own check may take after its time. */
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

    const ground: Ground = {
      ...{ url: `http://127.0.0.1:${server.port}`, redisUrl: redis.url, databaseUrl: database.url },
      sharedKey,
    };
    const start = (file: string, settings: Ground): Child => {
      const child = startChild({
        run: [`prove/attack/${file}.ts`, JSON.stringify(settings)],
        log: join(folder, `${file}-${id}.log`),
        ipc: true,
      });
      ends.push(() => child.end('SIGKILL'));
      return child;
    };
    const victim = start('victim', ground);
    await message<FromVictim>(victim, 'ready', PREPARE_MS);
    const attacker = start('attacker', { ...ground, attackId: id, seconds } as Ground);
    const prepared = await message<FromAttacker>(attacker, 'ready', PREPARE_MS);
    if (prepared?.is !== 'ready') {
      const why = prepared?.is === 'failed' ? prepared.why : 'the attacker did not get ready';
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
    const { answers, findings } = done?.is === 'done' ? done : { answers: {}, findings: NO_REPORT };
    return {
      ...{ id, title, answers, findings, starvedPercent },
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
  return { id, title, measured: undefined, starvedPercent: undefined, answers: {} };
}

function send(child: Child, what: ToVictim | ToAttacker): void {
  if (child.isRunning && child.process.connected) child.process.send(what, () => {});
}

/** Waits for a message of this kind, or for `failed`; undefined where the process ends first, or is too slow. */
function message<T extends { readonly is: string }>(
  child: Child,
  is: T['is'],
  withinMs: number,
): Promise<T | undefined> {
  return new Promise((resolve) => {
    const settle = (answer: T | undefined): void => {
      clearTimeout(timer);
      child.process.off('message', take);
      resolve(answer);
    };
    const take = (answer: T): void => {
      if (answer.is === is || answer.is === 'failed') settle(answer);
    };
    const timer = setTimeout(settle, withinMs, undefined);
    child.process.on('message', take);
    void child.exited.then(() => settle(undefined));
  });
}

/** The peak is the kernel's own; read now and then, because it goes with the process. */
function watchMemory(server: ServerProcess) {
  let peakMiB = 0;
  const look = (): void => {
    try {
      const status = readFileSync(`/proc/${server.pid}/status`, 'latin1');
      peakMiB = Math.max(peakMiB, Math.round(Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1_024));
    } catch {
      // It has ended, or this is not Linux.
    }
  };
  const timer = setInterval(look, 100);
  return {
    peakMiB() {
      look();
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
    // Its server was killed a moment ago: its connections may still be ending.
    await sleep(50);
    await run(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  };
  return { url: url.href, drop };
}
