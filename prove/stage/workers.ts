// The worker processes that publish: assigns attempts, and reports those of a worker that was killed.
import type { ExecutionPlan } from '../plan.ts';
import type { Random } from '../random.ts';
import type { WorkerSettings } from '../worker/messages.ts';
import { type PoolWorker, startWorkerPool } from './worker-pool.ts';

export interface AttemptOutcome {
  /** `lost`: its worker was killed. */
  readonly outcome: 'ended' | 'again' | 'lost';
  readonly why?: string | undefined;
}

export interface Workers {
  /** Runs one attempt on a worker. */
  run(plan: ExecutionPlan, attempt: number): Promise<AttemptOutcome>;
  /** Kills a busy worker, and starts another in its place. Returns 0 if all were idle. */
  kill(): Promise<number>;
  /** Resolves once no execution is ending, and none will end until `release`. */
  hold(): Promise<void>;
  release(): void;
  stop(): Promise<void>;
}

interface Publishing extends PoolWorker {
  readonly attempts: Map<string, (outcome: AttemptOutcome) => void>;
}

export interface WorkersOptions {
  /** The prefix of the workers' names. */
  readonly name: string;
  readonly count: number;
  readonly folder: string;
  readonly random: Random;
  readonly settings: Omit<WorkerSettings, 'name' | 'journal'>;
}

export async function startWorkers({ name: prefix, settings, ...options }: WorkersOptions): Promise<Workers> {
  const pool = await startWorkerPool<Publishing>({
    ...options,
    sort: `${prefix}worker`,
    program: 'prove/worker/main.ts',
    args: (name, journal) => {
      const workerSettings: WorkerSettings = { ...settings, name, journal };
      return [JSON.stringify(workerSettings)];
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
      const members = await pool.firstReady();
      const idlest = members.reduce((a, b) => (b.attempts.size < a.attempts.size ? b : a));
      return new Promise((resolve) => {
        idlest.attempts.set(plan.id, resolve);
        idlest.send({ do: 'run', plan, attempt });
      });
    },
    async kill() {
      const busy = pool.members().filter(({ attempts }) => attempts.size > 0);
      if (busy.length === 0) return 0;
      await pool.kill(busy);
      return busy.length;
    },
    hold: pool.hold,
    release: pool.release,
    stop: pool.stop,
  };
}
