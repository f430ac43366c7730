// The current runs of workflows, as Temporal describes them. Requests share the calls.
import { LruMap } from '../../async/lru-map.ts';
import type { ExecutionSummary } from '../../execution/store.ts';
import type { WorkflowRun } from './temporal-client.ts';

/** How long a response is recent. */
const RECENT_MS = 1_000;
const MAX_KEPT = 10_000;

/** One call, and the one that follows it for requests that came after it had started. */
interface Call {
  readonly startedAt: number;
  readonly run: Promise<WorkflowRun>;
  isDone: boolean;
  next?: Promise<WorkflowRun>;
}

/** Both functions reject as `describe` does. */
export interface CurrentRuns {
  /** The run as it was up to a second ago. */
  recent(row: ExecutionSummary): Promise<WorkflowRun>;
  /** The run now. Concurrent calls share a call to Temporal that starts after them. */
  read(row: ExecutionSummary): Promise<WorkflowRun>;
}

export function createCurrentRuns(describe: (row: ExecutionSummary) => Promise<WorkflowRun>): CurrentRuns {
  const calls = new LruMap<string, Call>(MAX_KEPT);

  function start(row: ExecutionSummary): Promise<WorkflowRun> {
    const call: Call = { startedAt: Date.now(), run: describe(row), isDone: false };
    const done = (): void => {
      call.isDone = true;
    };
    call.run.then(done, done);
    calls.set(row.id, call);
    return call.run;
  }

  return {
    recent(row) {
      const call = calls.get(row.id);
      return call && Date.now() - call.startedAt <= RECENT_MS ? call.run : start(row);
    },
    read(row) {
      const call = calls.get(row.id);
      if (!call || call.isDone) return start(row);
      const restart = () => start(row);
      call.next ??= call.run.then(restart, restart);
      return call.next;
    },
  };
}
