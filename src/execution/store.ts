// The durable row of an execution, as an interface: an engine with tables of its own implements this one.
import type {
  ExecutionKind,
  ExecutionMode,
  ExecutionStatus,
  FailedStatus,
  JsonValue,
  OpenStatus,
  Usage,
} from '../event/events.ts';

/** One execution as its row has it. */
export interface Execution {
  readonly id: string;
  readonly kind: ExecutionKind;
  readonly status: ExecutionStatus;
  readonly mode: ExecutionMode;
  /** From 1. */
  readonly attempt: number;
  readonly name?: string;
  readonly parentId?: string;
  readonly tenant?: string;
  /** The Temporal workflow behind it, where there is one; its id is not the execution's. */
  readonly workflowId?: string;
  readonly runId?: string;
  readonly input?: JsonValue;
  readonly result?: JsonValue;
  /** The execution has ended with a result that was not kept, so that `result` is absent. */
  readonly resultOmitted?: true;
  readonly error?: ExecutionFailure;
  readonly usage?: Usage;
  /** Grows with every change of the row. */
  readonly revision: number;
  readonly startedAt: Date;
  /**
   * True: a publisher began this attempt and sends heartbeats; without one it counts as lost. False: the attempt was
   * abandoned, and another one will follow. Absent: unknown (a row by plain SQL, or a workflow of Temporal's).
   */
  readonly expectsHeartbeats?: boolean;
  readonly finishedAt?: Date;
  /** Where the terminal event stands in the log; absent until it was appended. */
  readonly end?: { readonly seq: number; readonly epoch: string };
}

export interface ExecutionFailure {
  readonly message: string;
  readonly code?: string;
}

/** What a beginning execution is. */
export interface BeginExecution {
  readonly id: string;
  readonly kind: ExecutionKind;
  readonly mode: ExecutionMode;
  /** The attempt that begins; by default one more than the row's, or 1. */
  readonly attempt?: number;
  readonly name?: string;
  readonly parentId?: string;
  readonly tenant?: string;
  readonly workflowId?: string;
  readonly runId?: string;
  readonly input?: JsonValue;
  /** Whether whoever begins it sends heartbeats until its end. By default as before, at first unknown. */
  readonly expectsHeartbeats?: boolean;
}

/** What the liveness sweep reads of an open execution: none of the large columns. */
export type OpenExecution = Pick<Execution, 'id' | 'kind' | 'workflowId'>;

/** How an execution ended. */
export type ExecutionEnd = { readonly usage?: Usage } & (
  | {
      readonly status: 'SUCCESS';
      readonly result?: JsonValue;
      /** There is a result, and it was not kept: it was too long, or its beginning had left the log. */
      readonly resultOmitted?: true;
    }
  | { readonly status: FailedStatus; readonly error: ExecutionFailure }
);

/** The fields of an execution that may be large. Lists leave them out; `contents` reads them. */
export type ContentField = 'input' | 'result' | 'error';

/** An execution as lists return it. */
export type ExecutionSummary = Omit<Execution, ContentField>;

/** A place in a list, by which the next page continues. It needs not be the place of an execution that exists. */
export interface ListPosition {
  readonly startedAt: Date;
  /** Absent: after all executions that started at this millisecond. */
  readonly id?: string;
}

/** Which executions a list may contain: what a caller may not know of is left out by the query itself. */
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
export interface Content {
  /** Size as JSON, in bytes. */
  readonly bytes: number;
  /** Absent where the field is not set, or where `isOmitted`. */
  readonly value?: JsonValue | ExecutionFailure;
  /** The values before it have used up the limit. */
  readonly isOmitted?: true;
}

/** Every method rejects with `SOURCE_UNAVAILABLE` where the database does not answer within its bound. */
export interface ExecutionStore {
  /**
   * Makes the row of an execution, or begins a new attempt of one that is there (status RUNNING, result and error
   * of the attempt before cleared). The same attempt again changes nothing (but sets `expectsHeartbeats`, if that is
   * true) and answers the row. A parent does not need to exist yet.
   * @throws ExecstreamError `SUPERSEDED` for an older attempt than the row's; `ENDED` where the execution has
   *   ended; `FORBIDDEN` where another tenant owns the id or the parent; `BAD_USER_INPUT` where the kind or mode is
   *   another.
   */
  begin(execution: BeginExecution): Promise<Execution>;
  /**
   * Takes a begin back, if nothing has changed the row since: removes the row that it created, or restores the one
   * that it replaced.
   * @param begun what `begin` returned.
   * @param before the row right before that; undefined if there was none.
   * @returns whether it did.
   */
  undoBegin(begun: Execution, before: Execution | undefined): Promise<boolean>;
  /** Notes that the publisher of an open attempt gave it up, and that another attempt will follow. */
  abandon(id: string, attempt: number): Promise<void>;
  /** Open executions that expect heartbeats, by id: up to `limit` of those after an id. */
  expectingHeartbeats(after: string | undefined, limit: number): Promise<readonly OpenExecution[]>;
  /** Sets the status of an open execution, if `attempt` is still the row's. Answers whether it did. */
  setStatus(id: string, attempt: number, status: OpenStatus): Promise<boolean>;
  /**
   * Ends an execution, if `attempt` is still the row's and it is open. The first end wins: a later call changes
   * nothing. Answers the row as it stands, undefined where there is none.
   */
  finish(id: string, attempt: number, end: ExecutionEnd): Promise<Execution | undefined>;
  /** Notes where the terminal event of an ended execution stands in its log. */
  markEnd(id: string, end: { readonly seq: number; readonly epoch: string }): Promise<void>;
  get(id: string): Promise<Execution | undefined>;
  /** Which of these, at most 1,000, have ended. */
  ended(ids: readonly string[]): Promise<readonly string[]>;
  /**
   * What became of an execution since a revision (0: since it began), for whoever copies it into a stream: the
   * states that the row went through, oldest first, at most `limit`. The last one is the row as it stands, unless
   * there are more. A store that keeps no history answers with that alone, and with nothing where it has no news.
   */
  statesAfter(id: string, revision: number, limit: number): Promise<readonly Execution[]>;
  /** A page of executions, newest first. */
  list(query: ExecutionQuery): Promise<ExecutionPage>;
  /** The executions with these ids that exist, at most 1,000, in any order. */
  getMany(ids: readonly string[]): Promise<readonly ExecutionSummary[]>;
  /**
   * A page of children for each of these parents, at most 1,000: the executions begun under it, oldest first. A
   * parent without children has no entry, or an empty page.
   */
  childrenOf(parentIds: readonly string[], query: ChildrenQuery): Promise<ReadonlyMap<string, ExecutionPage>>;
  /**
   * One field of each of these executions, at most 1,000. Values are read in the order of ids as long as their sizes
   * add up to at most `maxBytes`; those after them come without their value (`isOmitted`). Executions that do not
   * exist have no entry.
   */
  contents(
    ids: readonly string[],
    field: ContentField,
    maxBytes: number,
  ): Promise<ReadonlyMap<string, Content>>;
  /** Whether the database answers. */
  ping(): Promise<void>;
  close(): Promise<void>;
}
