// Limits of the work that one GraphQL operation may cause, whatever its document looks like.
import { FairQueue } from '../async/fair-queue.ts';

export interface OperationLimits {
  /** Executions in one result, counted each time that they appear. Default 2,000. */
  readonly executions: number;
  /**
   * Bytes of `input`, `result` and `error` in one result, counted each time that they appear. A result with one
   * execution may exceed it: otherwise a large value could not be read at all. Default 4 MiB.
   */
  readonly contentBytes: number;
  /** Time until the operation is aborted, including the time that it waits. Default 10 s. */
  readonly timeoutMs: number;
  /** Concurrent operations of one caller; further ones wait. Default 4. */
  readonly operationsPerCaller: number;
  /**
   * Concurrent reads of all queries. Default 6, of the 10 connections to the database: the others remain for
   * publishing and streams.
   */
  readonly reads: number;
  /** Concurrent reads of one caller's queries. Default 2. */
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

/** The queues that the reads of all operations of this server pass. */
export interface ReadQueues {
  /** In front of the database. */
  readonly database: FairQueue;
  /** In front of Temporal, which may be slow: it must not hold slots of the database. */
  readonly workflows: FairQueue;
}

export function createReadQueues({ reads, readsPerCaller }: OperationLimits): ReadQueues {
  const limits = { concurrency: reads, perKey: readsPerCaller };
  return { database: new FairQueue(limits), workflows: new FairQueue(limits) };
}
