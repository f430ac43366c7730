// The limits of a publisher, and their defaults.
import { MIN_MESSAGE_BYTES } from '../event/size-limits.ts';

/** Every limit of a publisher. Times are in ms. */
export interface PublisherLimits {
  /**
   * How long neighbouring events are collected into one batch, and short texts into one chunk.
   * @default 5
   */
  readonly batchMs: number;
  /**
   * Bytes (JSON) that may wait for the log. Above the limit, queued events are dropped; text or value is resent after a
   * `reset` (`overflow`).
   * @default 4194304 (4 MiB)
   */
  readonly outboxBytes: number;
  /**
   * Waiting bytes from which publishing calls wait for room.
   * @default 1048576 (1 MiB)
   */
  readonly highWaterBytes: number;
  /**
   * The longest wait of a call for room. After it, calls do not wait until the log accepts a batch again.
   * @default 2000
   */
  readonly blockMs: number;
  /**
   * Time after which `begin()` resolves although the row or the log is unavailable. Both are retried.
   * @default 2000
   */
  readonly beginMs: number;
  /**
   * Time after which `complete()` and `fail()` resolve although the end is not recorded. It is retried.
   * @default 30000
   */
  readonly endMs: number;
  /**
   * Timeout of `close()` and `abandon()` for the events that are still queued.
   * @default 5000
   */
  readonly closeMs: number;
  /**
   * Timeout of one call of the log or the store, after which its outcome is unknown and it is retried.
   * @default 5000
   */
  readonly callMs: number;
  /**
   * Bytes (UTF-8) of text that are resent after a `reset`. A longer text loses its beginning, which a `warning`
   * `PREFIX_LOST` reports.
   * @default 1048576 (1 MiB)
   */
  readonly heldTextBytes: number;
  /**
   * UTF-16 code units of text that are kept for the default result of `complete()`. The result of a longer text is
   * omitted.
   * @default 16777216
   */
  readonly resultUnits: number;
  /**
   * A value is sent completely at least once in this number of deltas.
   * @default 500
   */
  readonly wholeValueEvery: number;
  /**
   * The longest time for which a string that grows within a value may lag behind. A JSON Patch repeats the string for
   * each change, so that one above 256 UTF-16 code units is sent whenever it has grown by half, or after this time. 0:
   * with every change.
   * @default 1000
   */
  readonly growthDelayMs: number;
  /**
   * Bytes of the largest message that a viewer may receive, from 61440 to 16777216. Text and patches are split so that
   * they fit; arguments and results of tools and the result of the run are omitted if they do not. Raise it together
   * with `MAX_MESSAGE_BYTES` of the servers, and only if all readers can buffer such messages.
   * @default 61440 (60 KiB)
   */
  readonly messageBytes: number;
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
  growthDelayMs: 1_000,
  messageBytes: MIN_MESSAGE_BYTES,
};
