// What resolvers are given: who asks, and the lower floors.
import type { Authorize, Caller } from '../execution/permission.ts';
import type { ExecutionStore } from '../execution/store.ts';
import type { LogReader } from '../log/log.ts';
import type { Tails } from '../tail/tails.ts';

export interface RequestContext {
  readonly caller: Caller;
  /** The `Last-Event-ID` header, which wins over `after`: a browser's EventSource keeps its URL when it reconnects. */
  readonly lastEventId: string | undefined;
  readonly services: SchemaServices;
}

export interface SchemaServices {
  readonly store: ExecutionStore;
  readonly log: LogReader;
  readonly tails: Tails;
  readonly authorize: Authorize;
}
