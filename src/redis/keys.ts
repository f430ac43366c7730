// The names of keys and channels in Redis.

/** The keys and the channel of one execution. They share a hash tag, and so a slot of a cluster. */
export interface LogKeys {
  /** A stream with entry ids `<seq>-0` and one field, `e`: the envelope as JSON without `executionId`. */
  readonly log: string;
  /** A hash: epoch, head, numbering, attempt, publisher, end, and what else the scripts need. */
  readonly meta: string;
  /** The Pub/Sub channel on which appended events are announced. */
  readonly channel: string;
  /** A hash: the process that relays a source into the log. It expires with the lease. */
  readonly lease: string;
}

/** @param prefix without braces: they would replace the hash tag */
export function logKeys(prefix: string, executionId: string): LogKeys {
  const tag = executionId.replace(UNSAFE, encodeURIComponent);
  return {
    log: `${prefix}stream:log:{${tag}}`,
    meta: `${prefix}stream:meta:{${tag}}`,
    channel: `${prefix}stream:events:{${tag}}`,
    lease: `${prefix}stream:lease:{${tag}}`,
  };
}

/**
 * Characters that are percent-encoded in keys. A brace in an id would end the hash tag early, and an empty hash tag would
 * put the keys of one execution into several slots.
 */
const UNSAFE = /[^A-Za-z0-9._:~@+/-]+/g;

/** A sorted set of the executions that have a publisher: the time of the last heartbeat in ms. */
export function livenessKey(prefix: string): string {
  return `${prefix}stream:alive`;
}

/** The key and the channel with which Redis is checked: whether it does what the log needs. */
export interface HealthKeys {
  /** It expires. */
  readonly key: string;
  /** No execution has it: `#` is percent-encoded in keys. */
  readonly channel: string;
}

/** @param slot selects a slot of a cluster */
export function healthKeys(prefix: string, slot?: number): HealthKeys {
  if (slot === undefined) {
    return { key: `${prefix}stream:health`, channel: `${prefix}stream:events:{#health}` };
  }
  return { key: `${prefix}stream:health:{#${slot}}`, channel: `${prefix}stream:events:{#${slot}}` };
}
