// The services that resolvers use.
import type { DiscoverExecutions } from '../execution/discovery.ts';
import type { Authorize, Caller, ReadFilters } from '../execution/permission.ts';
import type { Quotas } from '../execution/quotas.ts';
import type { ExecutionStore } from '../execution/store.ts';
import type { ListRuns } from '../execution/workflow-runs.ts';
import type { LogReader } from '../log/log.ts';
import type { Tails } from '../tail/tails.ts';

export interface SchemaServices {
  readonly store: ExecutionStore;
  readonly log: LogReader;
  readonly tails: Tails;
  /** Absent without Temporal. */
  readonly listRuns?: ListRuns | undefined;
  /** Absent if lists contain nothing but rows that exist. */
  readonly discover?: DiscoverExecutions | undefined;
  readonly authorize: Authorize;
  readonly readFilters: ReadFilters;
  readonly streamTokens: StreamTokens;
  readonly quotas: Quotas;
}

/** Allows its holder to read some executions without a header. */
export interface StreamToken {
  readonly token: string;
  /** When it stops being accepted. */
  readonly expiresAt: Date;
}

export interface StreamTokens {
  /** Creates a token to read executions as this caller may. The caller's permission must have been checked. */
  mint(caller: Caller, executions: readonly string[]): Promise<StreamToken>;
  /** Revokes a token that this caller has created. Other tokens remain valid, without an error. */
  revoke(caller: Caller, token: string): Promise<void>;
}
