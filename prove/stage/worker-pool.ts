// Worker processes of one sort: started, held back, killed and replaced. What they work on is their owner's to know.
import { join } from 'node:path';
import type { Random } from '../random.ts';
import type { FromWorker, ToWorker } from '../worker/messages.ts';
import { type Child, startChild } from './process.ts';

export interface Member {
  readonly name: string;
  tell(message: ToWorker): void;
}

export interface Crew<M extends Member> {
  /** Those that are ready to work. */
  members(): readonly M[];
  /** Resolves as soon as there is one. */
  someone(): Promise<readonly M[]>;
  /** Kills one of these, and starts another in its place; resolves when that is ready. */
  kill(among: readonly M[]): Promise<void>;
  /** Resolves when nothing is ending any more, nor will until it is released. */
  hold(): Promise<void>;
  release(): void;
  stop(): Promise<void>;
}

export interface CrewOptions<M extends Member> {
  readonly sort: string;
  readonly count: number;
  readonly folder: string;
  readonly random: Random;
  /** The file and the arguments of a member. */
  command(name: string, journal: string): readonly string[];
  join(member: Member): M;
  onMessage(member: M, message: FromWorker): void;
  onGone(member: M): void;
}

export async function startCrew<M extends Member>(options: CrewOptions<M>): Promise<Crew<M>> {
  const { sort, count, folder, random } = options;
  const children = new Map<M, Child>();
  const ready = new Set<M>();
  const held = new Map<M, () => void>();
  const waiting = new Set<() => void>();
  let started = 0;
  let isHeld = false;
  let isStopped = false;

  function start(): Promise<void> {
    started += 1;
    const name = `${sort}-${started}`;
    const child = startChild({
      run: options.command(name, join(folder, 'journals', `${name}.jsonl`)),
      log: join(folder, `${name}.log`),
      ipc: true,
    });
    const tell = (message: ToWorker): void => {
      if (child.isRunning && child.process.connected) child.process.send(message, () => {});
    };
    const member = options.join({ name, tell });
    children.set(member, child);
    return new Promise((resolve, reject) => {
      child.process.on('message', (message: FromWorker) => {
        if (message.is === 'ready') {
          ready.add(member);
          if (isHeld) tell({ do: 'hold', isHeld });
          for (const wake of waiting) wake();
          waiting.clear();
          resolve();
        } else if (message.is === 'held') {
          held.get(member)?.();
        } else options.onMessage(member, message);
      });
      void child.exited.then(() => {
        if (!isStopped && !ready.has(member)) {
          reject(new Error(`${name} ended as it started; see ${name}.log in ${folder}`));
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
    async someone() {
      while (ready.size === 0) await new Promise<void>((resolve) => waiting.add(resolve));
      return [...ready];
    },
    async kill(among) {
      await children.get(random.pick(among))?.end('SIGKILL');
      await start();
    },
    async hold() {
      isHeld = true;
      const answers = [...ready].map(
        (member) =>
          new Promise<void>((resolve) => {
            held.set(member, resolve);
            member.tell({ do: 'hold', isHeld });
          }),
      );
      await Promise.all(answers);
      held.clear();
    },
    release() {
      isHeld = false;
      for (const member of ready) member.tell({ do: 'hold', isHeld });
    },
    async stop() {
      isStopped = true;
      await Promise.all([...children.values()].map((child) => child.end('SIGKILL')));
    },
  };
}
