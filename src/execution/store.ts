// The durable row of an execution, as an interface that an engine with its own tables can implement.
import type {
  ExecutionKind,
  ExecutionMode,
  ExecutionStatus,
  FailedStatus,
  JsonValue,
  OpenStatus,
  Usage,
} from '../event/events.ts';

/** One execution, as stored in its row. */
export interface Execution {
  /** The id of the execution, or the key of a pinned run (event/execution-key.ts), which lists leave out. */
  readonly id: string;
  readonly kind: ExecutionKind;
  readonly status: ExecutionStatus;
  readonly mode: ExecutionMode;
  /** From 1. */
  readonly attempt: number;
  readonly name?: string;
  readonly parentId?: string;
  readonly tenant?: string;
  /** The id of the Temporal workflow that runs the execution, if one does; it differs from the execution's id. */
  readonly workflowId?: string;
  readonly runId?: string;
  readonly input?: JsonValue;
  readonly result?: JsonValue;
  /** The execution has ended with a result that was not kept; `result` is absent. */
  readonly resultOmitted?: true;
  readonly error?: ExecutionFailure;
  readonly usage?: Usage;
  /** Increases with every change of the row. */
  readonly revision: number;
  /**
   * Identifies one insertion of the row: a row that was deleted and inserted again under the same id has another one.
   * Absent: unknown, so that such a row continues the log of the one before.
   */
  readonly incarnation?: string;
  readonly startedAt: Date;
  /**
   * True: a publisher began this attempt and sends heartbeats; without heartbeats it counts as lost. False: the attempt
   * was abandoned, and another one will follow. Absent: unknown (a row by plain SQL, or a Temporal workflow).
   */
  readonly expectsHeartbeats?: boolean;
  readonly finishedAt?: Date;
  /** The position of the terminal event in the log; absent until it is appended. */
  readonly end?: { readonly seq: number; readonly epoch: string };
}

export interface ExecutionFailure {
  readonly message: string;
  readonly code?: string;
}

/** An execution or attempt that begins. */
export interface BeginExecution {
  readonly id: string;
  readonly kind: ExecutionKind;
  readonly mode: ExecutionMode;
  /**
   * The attempt that begins.
   * @default one more than the row's, or 1
   */
  readonly attempt?: number;
  readonly name?: string;
  readonly parentId?: string;
  readonly tenant?: string;
  readonly workflowId?: string;
  readonly runId?: string;
  readonly input?: JsonValue;
  /**
   * When the execution started, if its source knows that. With it, the id may be used again: a row of the same workflow
   * is replaced, as by a delete and an insert, if it has another `runId` and started earlier, or if it ended before this
   * start. A start before that of a row with another `runId` is `SUPERSEDED`.
   * @default now; the row is never replaced
   */
  readonly startedAt?: Date;
  /**
   * Whether the caller will send heartbeats until the end.
   * @default as in the attempt before, or unknown
   */
  readonly expectsHeartbeats?: boolean;
}

/** The fields of an open execution that the sweep for lost publishers reads: none of the large columns. */
export type OpenExecution = Pick<Execution, 'id' | 'kind' | 'workflowId'>;

/** How an execution ended. */
export type ExecutionEnd = {
  readonly usage?: Usage;
  /** @default now */
  readonly finishedAt?: Date;
} & (
  | {
      readonly status: 'SUCCESS';
      readonly result?: JsonValue;
      /** The result was not kept: it was too long, or its beginning was trimmed from the log. */
      readonly resultOmitted?: true;
    }
  | { readonly status: FailedStatus; readonly error: ExecutionFailure }
);

/** Fields of an execution that may be large. Lists leave them out; `contents` reads them. */
export type ContentField = 'input' | 'result' | 'error';

/** An execution as lists return it. */
export type ExecutionSummary = Omit<Execution, ContentField>;

/** A position in a list, after which the next page starts. There need not be an execution at it. */
export interface ListPosition {
  readonly startedAt: Date;
  /** Absent: after all executions that started at this millisecond. */
  readonly id?: string;
}

/** Which executions a list may contain. The query itself leaves out the executions that are hidden from a caller. */
export interface ExecutionFilter {
  /** Only executions of these tenants; null means executions without a tenant. Absent: any. */
  readonly tenants?: readonly (string | null)[];
  /** Only these executions: ids, or prefixes of ids followed by `*`. Absent: any. */
  readonly ids?: readonly string[];
}

export interface ChildrenQuery extends ExecutionFilter {
  /** 1 to 101; of children, for each parent. */
  readonly first: number;
  /** The position after which the page starts. */
  readonly after?: ListPosition;
}

export interface ExecutionQuery extends ChildrenQuery {
  readonly kind?: ExecutionKind;
  readonly status?: ExecutionStatus;
}

export interface ExecutionPage {
  readonly executions: readonly ExecutionSummary[];
  readonly hasNextPage: boolean;
}

/** One field of one execution. */
export interface FieldContent {
  /** Size as JSON, in bytes. */
  readonly bytes: number;
  /** Absent if the field is not set, or `isOmitted`. */
  readonly value?: JsonValue | ExecutionFailure;
  /** The limit was used up by the values before this one. */
  readonly isOmitted?: true;
}

/** Every method rejects with `SOURCE_UNAVAILABLE` if the database does not respond within the store's timeout. */
export interface ExecutionStore {
  /**
   * Creates the row of an execution, or begins a new attempt of an existing one (status RUNNING, result and error of
   * the attempt before cleared). The same attempt again changes nothing, except that `expectsHeartbeats`, if true, is
   * set and changes the revision, so that of several begins of an attempt none undoes what another one uses. A parent
   * need not exist yet. With `startedAt`, a later execution under the same id replaces the row.
   * @returns the row afterwards
   * @throws ExecstreamError `SUPERSEDED` for an attempt older than the row's; `ENDED` if the execution has ended;
   *   `FORBIDDEN` if another tenant owns the id or the parent; `BAD_USER_INPUT` if a field is invalid, or the kind or
   *   mode differs from the row's
   */
  begin(execution: BeginExecution): Promise<Execution>;
  /**
   * Undoes a begin if the row has not changed since: removes the row that it created, or restores the attempt that it
   * replaced. A row that another begin created (its revision is above 1, though there was none before) is left alone.
   * @param begun the row that `begin` returned
   * @param before the row immediately before the begin; undefined if there was none
   * @returns whether the begin was undone
   */
  undoBegin(begun: Execution, before: Execution | undefined): Promise<boolean>;
  /** Records that the publisher of an open attempt gave it up, and that another attempt will follow. */
  abandon(id: string, attempt: number): Promise<void>;
  /** Returns up to `limit` open executions from which heartbeats are expected, ordered by id, after an id. */
  expectingHeartbeats(after: string | undefined, limit: number): Promise<readonly OpenExecution[]>;
  /**
   * Returns up to `limit` open executions of Temporal workflows, ordered by id, after an id. With a store without this
   * method, the row of a workflow without viewers ends when it is next requested.
   */
  openWorkflows?(after: string | undefined, limit: number): Promise<readonly ExecutionSummary[]>;
  /**
   * Sets the status of an open execution, if `attempt` is still the row's.
   * @returns whether the status was set
   */
  setStatus(id: string, attempt: number, status: OpenStatus): Promise<boolean>;
  /**
   * Ends an execution, if it is open and `attempt` is still the row's. The first end wins: a later call changes nothing.
   * @returns the row afterwards; undefined if there is none
   */
  finish(id: string, attempt: number, end: ExecutionEnd): Promise<Execution | undefined>;
  /** Stores the position of an ended execution's terminal event. Does nothing while the execution is open. */
  markEnd(id: string, end: { readonly seq: number; readonly epoch: string }): Promise<void>;
  get(id: string): Promise<Execution | undefined>;
  /**
   * Returns up to `limit` states of the row after a revision (0: since the begin), oldest first, for copying it into a
   * stream. The last state is the current one, unless there are more than `limit`. A store without history returns
   * the current state, or nothing if the row has not changed.
   * @param incarnation of the row that the revision belongs to. If the row has another one, all of its states are
   *   returned
   * @returns undefined if there is no row
   */
  statesAfter(
    id: string,
    revision: number,
    limit: number,
    incarnation?: string,
  ): Promise<readonly Execution[] | undefined>;
  /** Returns a page of executions, newest first, without pinned runs. */
  list(query: ExecutionQuery): Promise<ExecutionPage>;
  /** Returns the existing executions with these ids, up to 1,000, in any order. */
  getMany(ids: readonly string[]): Promise<readonly ExecutionSummary[]>;
  /**
   * Returns a page of children, oldest first and without pinned runs, for each of these parents, up to 1,000. A parent
   * without children has no entry, or an empty page.
   */
  childrenOf(parentIds: readonly string[], query: ChildrenQuery): Promise<ReadonlyMap<string, ExecutionPage>>;
  /**
   * Returns the number of children of each of these parents, up to 1,000; a parent without children has no entry. A
   * store without this method has states without a count.
   */
  countChildren?(parentIds: readonly string[], filter: ExecutionFilter): Promise<ReadonlyMap<string, number>>;
  /**
   * Returns one field of each of these executions, up to 1,000. Values are read in the order of ids while the sum of
   * their sizes is within `maxBytes`; later entries have no value (`isOmitted`). Executions that do not exist, or do
   * not have the field, have no entry.
   */
  contents(
    ids: readonly string[],
    field: ContentField,
    maxBytes: number,
  ): Promise<ReadonlyMap<string, FieldContent>>;
  /** Resolves if the database is available and accepts writes. */
  ping(): Promise<void>;
  close(): Promise<void>;
}
