// The worker processes that publish: who is given what, and what was left undone by one that was killed.
import type { ExecutionPlan } from '../plan.ts';
import type { Random } from '../random.ts';
import type { WorkerSettings } from '../worker/messages.ts';
import { type Member, startCrew } from './worker-pool.ts';

export interface AttemptOutcome {
  /** `lost`: its worker was killed under it. */
  readonly outcome: 'ended' | 'again' | 'lost';
  readonly why?: string | undefined;
}

export interface Workers {
  /** Has one attempt run by some worker. */
  run(plan: ExecutionPlan, attempt: number): Promise<AttemptOutcome>;
  /** Kills one in the midst of it, and starts another in its place. Answers 0 where none had anything to do. */
  kill(): Promise<number>;
  /** Resolves when nothing is ending any more, nor will until it is released. */
  hold(): Promise<void>;
  release(): void;
  stop(): Promise<void>;
}

interface Publishing extends Member {
  readonly attempts: Map<string, (outcome: AttemptOutcome) => void>;
}

export interface WorkersOptions {
  /** Before the names of all of them. */
  readonly name: string;
  readonly count: number;
  readonly folder: string;
  readonly random: Random;
  readonly settings: Omit<WorkerSettings, 'name' | 'journal'>;
}

export async function startWorkers({ name: prefix, settings, ...options }: WorkersOptions): Promise<Workers> {
  const crew = await startCrew<Publishing>({
    ...options,
    sort: `${prefix}worker`,
    command: (name, journal) => {
      const own: WorkerSettings = { ...settings, name, journal };
      return ['prove/worker/main.ts', JSON.stringify(own)];
    },
    join: (member) => ({ ...member, attempts: new Map() }),
    onMessage({ attempts }, message) {
      if (message.is !== 'done') return;
      const { id, outcome, why } = message;
      attempts.get(id)?.({ outcome, why });
      attempts.delete(id);
    },
    onGone({ attempts }) {
      for (const settle of attempts.values()) settle({ outcome: 'lost' });
    },
  });
  return {
    async run(plan, attempt) {
      const members = await crew.someone();
      const idlest = members.reduce((a, b) => (b.attempts.size < a.attempts.size ? b : a));
      return new Promise((resolve) => {
        idlest.attempts.set(plan.id, resolve);
        idlest.tell({ do: 'run', plan, attempt });
      });
    },
    async kill() {
      const busy = crew.members().filter(({ attempts }) => attempts.size > 0);
      if (busy.length === 0) return 0;
      await crew.kill(busy);
      return busy.length;
    },
    hold: crew.hold,
    release: crew.release,
    stop: crew.stop,
  };
}
