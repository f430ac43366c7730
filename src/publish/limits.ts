// The limits of a publisher, and their defaults.

/** Every limit of a publisher. Times are in ms, sizes in bytes. */
export interface PublisherLimits {
  /** How long neighbouring events are gathered into one batch, and small texts into one chunk. */
  readonly batchMs: number;
  /** Bytes (JSON) that wait for the log; above, what waits is dropped and made good by `reset` (`overflow`). */
  readonly outboxBytes: number;
  /** Bytes waiting from which `text()` waits for room. */
  readonly highWaterBytes: number;
  /** The longest that one call waits for room; the next ones do not wait until the log has moved again. */
  readonly blockMs: number;
  /** After this time `begin()` resolves though row or log are away; both are tried on. */
  readonly beginMs: number;
  /** After this time `complete()` and `fail()` resolve though the end is not recorded; it is tried on. */
  readonly endMs: number;
  /** What `close()` and `abandon()` grant what is still queued. */
  readonly closeMs: number;
  /** After this time one call of log or store counts as unanswered (its outcome unknown). */
  readonly callMs: number;
  /** Bytes (UTF-8) of text that are sent again after a `reset`; above, `warning` `PREFIX_LOST` and the last of it. */
  readonly heldTextBytes: number;
  /** UTF-16 code units of text kept for `complete`'s default result; above, the result is omitted. */
  readonly resultUnits: number;
  /** A value is sent whole at least once in so many deltas. */
  readonly wholeValueEvery: number;
}

export const DEFAULT_LIMITS: PublisherLimits = {
  batchMs: 5,
  outboxBytes: 4 * 1024 * 1024,
  highWaterBytes: 1024 * 1024,
  blockMs: 2_000,
  beginMs: 2_000,
  endMs: 30_000,
  closeMs: 5_000,
  callMs: 5_000,
  heldTextBytes: 1024 * 1024,
  resultUnits: 16 * 1024 * 1024,
  wholeValueEvery: 500,
};
