// The lower floors, as resolvers use them.
import type { Authorize, Caller, ReadFilters } from '../execution/permission.ts';
import type { Quotas } from '../execution/quotas.ts';
import type { ExecutionStore } from '../execution/store.ts';
import type { LogReader } from '../log/log.ts';
import type { Tails } from '../tail/tails.ts';

export interface SchemaServices {
  readonly store: ExecutionStore;
  readonly log: LogReader;
  readonly tails: Tails;
  readonly authorize: Authorize;
  readonly readFilters: ReadFilters;
  readonly streamTokens: StreamTokens;
  readonly quotas: Quotas;
}

/** Lets whoever holds it read some executions, without a header. */
export interface StreamToken {
  readonly token: string;
  /** When it serves no longer. */
  readonly expiresAt: Date;
}

export interface StreamTokens {
  /** Makes a token with which executions can be read as this caller may. The caller must have been asked about. */
  mint(caller: Caller, executions: readonly string[]): Promise<StreamToken>;
  /** Ends a token that this caller has made; another one stays, and nothing tells. */
  revoke(caller: Caller, token: string): Promise<void>;
}
