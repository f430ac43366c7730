// Where a log lives in Redis (PROTOCOL.md, "Redis").

/** The names of one execution's things. All share a hash tag, and so a slot of a cluster. */
export interface LogKeys {
  /** A stream, entry ids `<seq>-0`, one field `e`: the envelope as JSON without `executionId`. */
  readonly log: string;
  /** A hash: epoch, head, numbering, attempt, publisher, end, and what append must remember besides. */
  readonly meta: string;
  /** The Pub/Sub channel on which appended events are announced. */
  readonly channel: string;
  /** A hash: who relays a source into the log; gone when the lease is. */
  readonly lease: string;
}

/** Names an execution's keys. A prefix must hold no braces: it would take the hash tag's place. */
export function logKeys(prefix: string, executionId: string): LogKeys {
  return {
    log: `${prefix}stream:log:{${executionId}}`,
    meta: `${prefix}stream:meta:{${executionId}}`,
    channel: `${prefix}stream:events:{${executionId}}`,
    lease: `${prefix}stream:lease:{${executionId}}`,
  };
}

/** A sorted set of all executions whose publishers keep them alive: the time of the last sign, in ms. */
export function livenessKey(prefix: string): string {
  return `${prefix}stream:alive`;
}
