// The context of resolvers: the caller, the request's cursor, and services.
import type { Caller } from '../execution/permission.ts';
import type { OperationReads } from './operation-reads.ts';
import type { SchemaServices } from './services.ts';

export interface RequestContext {
  readonly caller: Caller;
  /**
   * The `Last-Event-ID` header, which takes precedence over `after`: a browser's EventSource reconnects with the same URL.
   */
  readonly lastEventId: string | undefined;
  readonly services: SchemaServices;
  /** The reads of a query or mutation; subscriptions have none. */
  readonly reads: OperationReads;
}
