// A pool of worker processes: starts, holds, kills and replaces them. The owner of the pool assigns the work.
import { join } from 'node:path';
import { compiledProgram } from '../../test/support/compiled-program.ts';
import type { Random } from '../random.ts';
import type { FromWorker, ToWorker } from '../worker/messages.ts';
import { type Child, startChild } from './process.ts';

export interface PoolWorker {
  readonly name: string;
  send(message: ToWorker): void;
}

export interface WorkerPool<M extends PoolWorker> {
  /** The workers that are ready. */
  members(): readonly M[];
  /** Resolves as soon as a worker is ready. */
  firstReady(): Promise<readonly M[]>;
  /** Kills one of these, and starts another in its place; resolves when the new one is ready. */
  kill(among: readonly M[]): Promise<void>;
  /** Resolves once no execution is ending, and none will end until `release`. */
  hold(): Promise<void>;
  release(): void;
  stop(): Promise<void>;
}

export interface WorkerPoolOptions<M extends PoolWorker> {
  readonly sort: string;
  readonly count: number;
  readonly folder: string;
  readonly random: Random;
  /** The TypeScript file of a worker, relative to the root of the repository. */
  readonly program: string;
  /** The arguments of a worker. */
  args(name: string, journal: string): readonly string[];
  join(member: PoolWorker): M;
  onMessage(member: M, message: FromWorker): void;
  onGone(member: M): void;
}

export async function startWorkerPool<M extends PoolWorker>(
  options: WorkerPoolOptions<M>,
): Promise<WorkerPool<M>> {
  const { sort, count, folder, random } = options;
  const program = await compiledProgram(options.program);
  const children = new Map<M, Child>();
  const ready = new Set<M>();
  const held = new Map<M, () => void>();
  const waiters = new Set<() => void>();
  let started = 0;
  let isHeld = false;
  let isStopped = false;

  function start(): Promise<void> {
    started += 1;
    const name = `${sort}-${started}`;
    const child = startChild({
      run: [...program, ...options.args(name, join(folder, 'journals', `${name}.jsonl`))],
      log: join(folder, `${name}.log`),
      ipc: true,
    });
    const send = (message: ToWorker): void => {
      if (child.isRunning && child.process.connected) child.process.send(message, () => {});
    };
    const member = options.join({ name, send });
    children.set(member, child);
    return new Promise((resolve, reject) => {
      child.process.on('message', (message: FromWorker) => {
        if (message.is === 'ready') {
          ready.add(member);
          if (isHeld) send({ do: 'hold', isHeld });
          for (const wake of waiters) wake();
          waiters.clear();
          resolve();
        } else if (message.is === 'held') {
          held.get(member)?.();
        } else options.onMessage(member, message);
      });
      void child.exited.then(() => {
        if (!isStopped && !ready.has(member)) {
          reject(new Error(`${name} exited during startup; see ${name}.log in ${folder}`));
        }
        ready.delete(member);
        children.delete(member);
        held.get(member)?.();
        options.onGone(member);
      });
    });
  }

  await Promise.all(Array.from({ length: count }, start));
  return {
    members: () => [...ready],
    async firstReady() {
      while (ready.size === 0) await new Promise<void>((resolve) => waiters.add(resolve));
      return [...ready];
    },
    async kill(among) {
      await children.get(random.pick(among))?.end('SIGKILL');
      await start();
    },
    async hold() {
      isHeld = true;
      const acknowledgements = [...ready].map(
        (member) =>
          new Promise<void>((resolve) => {
            held.set(member, resolve);
            member.send({ do: 'hold', isHeld });
          }),
      );
      await Promise.all(acknowledgements);
      held.clear();
    },
    release() {
      isHeld = false;
      for (const member of ready) member.send({ do: 'hold', isHeld });
    },
    async stop() {
      isStopped = true;
      await Promise.all([...children.values()].map((child) => child.end('SIGKILL')));
    },
  };
}
