// Admission control of streams: limits per node, per caller, and of new streams per caller and second.
import { Counts } from '../async/counts.ts';
import { TokenBuckets } from '../async/token-bucket.ts';
import { ExecstreamError } from '../event/errors.ts';
import { ANONYMOUS, type Caller, callerKey } from '../execution/permission.ts';

export interface StreamLimits {
  /** @default 10_000 */
  readonly perNode: number;
  /**
   * Not applied while authentication is off, because callers cannot be distinguished then.
   * @default 500
   */
  readonly perCaller: number;
  /**
   * Sustained rate of new streams of one caller. A burst of `perCaller` is admitted, for reconnects after a restart.
   * @default 50
   */
  readonly newPerSecond: number;
}

export const DEFAULT_STREAM_LIMITS: StreamLimits = { perNode: 10_000, perCaller: 500, newPerSecond: 50 };

export class StreamAdmission {
  readonly #limits: StreamLimits;
  readonly #new: TokenBuckets;
  /** Open streams by caller. */
  readonly #byCaller = new Counts();
  #open = 0;
  #isStopped = false;

  constructor(limits: Partial<StreamLimits> = {}) {
    this.#limits = { ...DEFAULT_STREAM_LIMITS, ...limits };
    const { perCaller: burst, newPerSecond: perSecond } = this.#limits;
    this.#new = new TokenBuckets({ perSecond, burst });
  }

  /**
   * Admits a stream.
   * @returns releases its place
   * @throws ExecstreamError `CAPACITY` if the node is at its limit or shutting down, `TOO_MANY_STREAMS` if the caller has
   *   or opens too many. The same request may succeed later.
   */
  admit(caller: Caller): () => void {
    const { perNode } = this.#limits;
    if (this.#isStopped) throw new ExecstreamError('CAPACITY', 'server is shutting down');
    if (this.#open >= perNode) {
      throw new ExecstreamError('CAPACITY', `server is at its stream limit (${perNode})`);
    }
    const key = caller === ANONYMOUS ? undefined : callerKey(caller);
    if (key !== undefined) this.#charge(key);
    this.#open += 1;
    return () => {
      this.#open -= 1;
      if (key !== undefined) this.#byCaller.decrement(key);
    };
  }

  /** Admits no more streams. */
  stop(): void {
    this.#isStopped = true;
  }

  #charge(key: string): void {
    const { perCaller, newPerSecond } = this.#limits;
    if (this.#byCaller.of(key) >= perCaller) {
      throw new ExecstreamError(
        'TOO_MANY_STREAMS',
        `too many open streams for this caller (limit ${perCaller})`,
      );
    }
    const waitMs = this.#new.take(key);
    if (waitMs > 0) {
      const detail = `too many new streams for this caller (limit ${newPerSecond} per second)`;
      throw new ExecstreamError('TOO_MANY_STREAMS', detail, {
        retryAfterSeconds: Math.ceil(waitMs / 1_000),
      });
    }
    this.#byCaller.increment(key);
  }
}
