// What resolvers are given: the caller, the request's cursor, and the lower floors.
import type { Caller } from '../execution/permission.ts';
import type { OperationReads } from './operation-reads.ts';
import type { SchemaServices } from './services.ts';

export interface RequestContext {
  readonly caller: Caller;
  /** The `Last-Event-ID` header, which wins over `after`: a browser's EventSource keeps its URL when it reconnects. */
  readonly lastEventId: string | undefined;
  readonly services: SchemaServices;
  /** Of queries and mutations; subscriptions have none. */
  readonly reads: OperationReads;
}
