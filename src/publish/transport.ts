// How the runs of a publisher reach their row and their log: directly, or over HTTP, where a server keeps both.
import type { LivenessWriter } from '../coordination/liveness.ts';
import type { NewEvent } from '../event/events.ts';
import type { BeginExecution, Execution, ExecutionStore } from '../execution/store.ts';
import type { LogWriter } from '../log/log.ts';

/** What a run needs of its log. */
export type RunLog = Pick<LogWriter, 'open' | 'append'> & LivenessWriter;

/** The row of an attempt that has begun. */
export type BegunRow = Pick<Execution, 'attempt' | 'startedAt' | 'incarnation'>;

/** What a run needs of its row, if it keeps the row itself. */
export type RowKeeper = Pick<ExecutionStore, 'get' | 'finish' | 'markEnd'>;

/** What a run needs of its row. */
export interface RunStore extends Pick<ExecutionStore, 'setStatus' | 'abandon'> {
  begin(execution: BeginExecution): Promise<BegunRow>;
  /**
   * Absent if the server that appends to the log keeps the row as well: it chooses the attempt of a begin that names none,
   * also if the begin is repeated, and the terminal event ends the row.
   */
  readonly keeper?: RowKeeper;
}

/** The row and the log of one run. */
export interface RunConnection {
  readonly log: RunLog;
  readonly store: RunStore;
}

export interface Transport {
  /** Connects a run that has not begun. Sends nothing. */
  connect(execution: BeginExecution, startEvent: NewEvent): RunConnection;
  /** Closes what the transport has opened. */
  close(): Promise<void>;
}

/** The transport of a process with a log and a store. */
export function createDirectTransport(
  log: RunLog,
  store: ExecutionStore,
  close: () => Promise<void>,
): Transport {
  const rows: RunStore = {
    begin: (execution) => store.begin(execution),
    setStatus: (id, attempt, status) => store.setStatus(id, attempt, status),
    abandon: (id, attempt) => store.abandon(id, attempt),
    keeper: store,
  };
  return { connect: () => ({ log, store: rows }), close };
}
