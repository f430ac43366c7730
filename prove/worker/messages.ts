// What the run and its worker processes say to each other.
import type { ExecutionPlan } from '../plan.ts';

export type ToWorker =
  | { readonly do: 'run'; readonly plan: ExecutionPlan; readonly attempt: number }
  /** While held, nothing ends: see faults/destroying.ts. */
  | { readonly do: 'hold'; readonly isHeld: boolean };

export type FromWorker =
  | { readonly is: 'ready' }
  /** Held, and nothing that was ending is so any more. */
  | { readonly is: 'held' }
  /** `again`: another attempt has to follow. */
  | { readonly is: 'done'; readonly id: string; readonly outcome: 'ended' | 'again'; readonly why?: string };

/** What a worker is started with, as JSON in its first argument. */
export interface WorkerSettings {
  readonly name: string;
  readonly journal: string;
  readonly redisUrl: string;
  readonly databaseUrl: string;
  /** How many replicas must have an event before it is acknowledged. */
  readonly waitReplicas: number;
  /** Where HTTP publishers publish: the proxy. */
  readonly url: string;
  readonly sharedKey: string;
}

/** The same for a Temporal worker. */
export interface TemporalWorkerSettings
  extends Pick<WorkerSettings, 'name' | 'journal' | 'redisUrl' | 'databaseUrl'> {
  readonly temporalAddress: string;
  /** The file of its workflows, bundled once for all. */
  readonly bundle: string;
}
