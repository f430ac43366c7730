// Which streams are taken on: so many a node, so many a caller, and so many new ones of a caller a second.
import { ExecstreamError } from '../event/error.ts';
import { ANONYMOUS, type Caller } from '../execution/permission.ts';

export interface StreamLimits {
  readonly perNode: number;
  /** While authentication is off nobody is told from another, and only the node's limit holds. */
  readonly perCaller: number;
  /** A caller's streams may all come back at once, after a restart; from then on so many new ones a second. */
  readonly newPerSecond: number;
}

export const DEFAULT_STREAM_LIMITS: StreamLimits = { perNode: 10_000, perCaller: 500, newPerSecond: 50 };

/** Callers without streams whose rate is remembered. */
const REMEMBERED = 10_000;

interface Account {
  open: number;
  /** New streams that may be opened now. */
  allowance: number;
  /** When that was reckoned, in ms of `performance.now()`. */
  at: number;
}

export class Admission {
  readonly #limits: StreamLimits;
  readonly #accounts = new Map<string, Account>();
  #open = 0;

  constructor(limits: Partial<StreamLimits> = {}) {
    this.#limits = { ...DEFAULT_STREAM_LIMITS, ...limits };
  }

  /**
   * Takes a stream on.
   * @returns gives its place back
   * @throws ExecstreamError `SOURCE_UNAVAILABLE` where the node is full, `TOO_MANY_STREAMS` where the caller has or
   *   opens too many. Both pass by themselves.
   */
  admit(caller: Caller): () => void {
    const { perNode } = this.#limits;
    if (this.#open >= perNode) {
      throw new ExecstreamError(
        'SOURCE_UNAVAILABLE',
        `this server has all the streams it takes (${perNode})`,
      );
    }
    const account = caller === ANONYMOUS ? undefined : this.#charge(caller);
    this.#open += 1;
    return () => {
      this.#open -= 1;
      if (account) account.open -= 1;
    };
  }

  #charge({ id, tenant }: Caller): Account {
    const { perCaller, newPerSecond } = this.#limits;
    const key = JSON.stringify([tenant, id]);
    const now = performance.now();
    const account = this.#accounts.get(key) ?? { open: 0, allowance: perCaller, at: now };
    account.allowance = Math.min(perCaller, account.allowance + ((now - account.at) / 1_000) * newPerSecond);
    account.at = now;
    if (account.open >= perCaller) {
      throw new ExecstreamError(
        'TOO_MANY_STREAMS',
        `you have all the streams one caller may have (${perCaller})`,
      );
    }
    if (account.allowance < 1) {
      const detail = `you open streams faster than one caller may (${newPerSecond} a second)`;
      throw new ExecstreamError('TOO_MANY_STREAMS', detail);
    }
    account.allowance -= 1;
    account.open += 1;
    this.#accounts.set(key, account);
    if (this.#accounts.size > REMEMBERED) this.#forget();
    return account;
  }

  #forget(): void {
    for (const [key, { open }] of this.#accounts) if (open === 0) this.#accounts.delete(key);
  }
}
