// The state that a workflow passes to its next run by continue-as-new, as the last argument of that run.
import type { ExecutionStatus, Usage } from '../../event/events.ts';
import type { WorkflowEvent } from '../shared/stream-query.ts';

/** The state of a stream between two runs: plain JSON of up to about 130 KiB. */
export interface CarriedStream {
  /** Distinguishes it from other arguments. */
  readonly execstream: 1;
  readonly executionId: string;
  readonly epoch: string;
  /** The run that carries it over. */
  readonly runId: string;
  /** The seq before the first event of `tail`. */
  readonly base: number;
  readonly next: number;
  /** The last events: a server that is slightly behind need not query the previous run. */
  readonly tail: readonly WorkflowEvent[];
  readonly status: ExecutionStatus;
  readonly usage?: Usage;
}

/** Whether an argument is a carried stream. */
export function isCarriedStream(argument: unknown): argument is CarriedStream {
  return typeof argument === 'object' && argument !== null && Reflect.get(argument, 'execstream') === 1;
}
