// The messages between the run and its worker processes.
import type { ExecutionPlan } from '../plan.ts';

export type ToWorker =
  | { readonly do: 'run'; readonly plan: ExecutionPlan; readonly attempt: number }
  /** While held, no execution ends: see faults/destroying.ts. */
  | { readonly do: 'hold'; readonly isHeld: boolean };

export type FromWorker =
  | { readonly is: 'ready' }
  /** Held, and no execution is ending any more. */
  | { readonly is: 'held' }
  /** `again`: another attempt is required. */
  | { readonly is: 'done'; readonly id: string; readonly outcome: 'ended' | 'again'; readonly why?: string };

/** The settings of a worker, as JSON in its first argument. */
export interface WorkerSettings {
  readonly name: string;
  readonly journal: string;
  readonly redisUrl: string;
  readonly databaseUrl: string;
  /** How many replicas must have an event before it is acknowledged. */
  readonly waitReplicas: number;
  /** The URL for publishers over HTTP: the balancer's. */
  readonly url: string;
  readonly sharedKey: string;
}

/** The settings of a Temporal worker. */
export interface TemporalWorkerSettings
  extends Pick<WorkerSettings, 'name' | 'journal' | 'redisUrl' | 'databaseUrl'> {
  readonly temporalAddress: string;
  /** The file of its workflows, bundled once for all workers. */
  readonly bundle: string;
}
