// Limits of the work that one GraphQL operation may cause, regardless of its document.
import { FairQueue } from '../async/fair-queue.ts';

export interface OperationLimits {
  /**
   * Executions in one result, counted each time that they appear.
   * @default 2_000
   */
  readonly executions: number;
  /**
   * Bytes of `input`, `result` and `error` in one result, counted each time that they appear. A result with one
   * execution may exceed it: otherwise a large value could not be read at all.
   * @default 4 * 1024 * 1024
   */
  readonly contentBytes: number;
  /**
   * Time until the operation is aborted, including the time that it waits.
   * @default 10_000
   */
  readonly timeoutMs: number;
  /**
   * Concurrent operations of one caller; further ones wait.
   * @default 4
   */
  readonly operationsPerCaller: number;
  /**
   * Concurrent reads of all queries. The default leaves 4 of the 10 database connections to publishing and streams.
   * @default 6
   */
  readonly reads: number;
  /**
   * Concurrent reads of one caller's queries.
   * @default 2
   */
  readonly readsPerCaller: number;
}

export const DEFAULT_OPERATION_LIMITS: OperationLimits = {
  executions: 2_000,
  contentBytes: 4 * 1024 * 1024,
  timeoutMs: 10_000,
  operationsPerCaller: 4,
  reads: 6,
  readsPerCaller: 2,
};

/** The queues through which all operations of this server read. */
export interface ReadQueues {
  /** Reads of the database. */
  readonly database: FairQueue;
  /** Reads of Temporal, which may be slow: they must not occupy slots of the database. */
  readonly workflows: FairQueue;
}

export function createReadQueues({ reads, readsPerCaller }: OperationLimits): ReadQueues {
  const limits = { concurrency: reads, perKey: readsPerCaller };
  return { database: new FairQueue(limits), workflows: new FairQueue(limits) };
}
