// Which incarnation of a workflow's numbering a run is in. Pure, so that every case has a test.
//
// A seq may name one event only, for as long as its epoch lasts. What begins a new epoch:
//   a first run, a retry, a cron run    they begin again at seq 1: the epoch is their run id
//   continue-as-new                     goes on: the epoch is carried over
//   a reset, of any of these            replays its history under a new run id, and may then go another way
//   a retry of a run that carried on    gets the same carried state again as the run that failed
//
// The last two are why a carried epoch is not taken on trust. A reset keeps `originalExecutionRunId`, which stands in
// the copied history, and changes `runId`. A retry names the run that failed, not the one that carried over, as the
// run it continues from.
import type { CarriedStream } from './carry-over.ts';

/** What of Temporal's WorkflowInfo tells. */
export interface RunIdentity {
  readonly runId: string;
  readonly originalExecutionRunId: string;
  readonly continuedFromExecutionRunId?: string | undefined;
}

/**
 * Names the epoch of a run.
 * @returns the carried one where the run goes on from the run that carried it, else the run's own id.
 */
export function epochOf(run: RunIdentity, carried: CarriedStream | undefined): string {
  const isReset = run.runId !== run.originalExecutionRunId;
  const goesOn = carried !== undefined && run.continuedFromExecutionRunId === carried.runId;
  return goesOn && !isReset ? carried.epoch : run.runId;
}
