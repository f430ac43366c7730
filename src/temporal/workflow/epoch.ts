// The epoch of a run: which numbering its events belong to. A pure function, so that every case has a test.
//
// Within an epoch a seq names exactly one event. These start a new epoch:
//   a first run, a retry, a cron run    they start again at seq 1: the epoch is their run id
//   a reset of any of these             replays its history under a new run id and may then diverge
//   a retry of a continued run          receives the same carried state as the run that failed
// Continue-as-new carries the epoch over.
//
// The second and third are why a carried epoch is checked. A reset keeps `originalExecutionRunId`, which is in the
// copied history, and changes `runId`. A retry continues from the run that failed, not from the run that carried over.
import type { CarriedStream } from './carry-over.ts';

/** The fields of Temporal's WorkflowInfo that identify a run. */
export interface RunIdentity {
  readonly runId: string;
  readonly originalExecutionRunId: string;
  readonly continuedFromExecutionRunId?: string | undefined;
}

/** The carried epoch if the run continues the run that carried it, otherwise the run's own id. */
export function epochOf(run: RunIdentity, carried: CarriedStream | undefined): string {
  const isReset = run.runId !== run.originalExecutionRunId;
  const isContinued = carried !== undefined && run.continuedFromExecutionRunId === carried.runId;
  return isContinued && !isReset ? carried.epoch : run.runId;
}
