// What relays have in common: an execution is followed for as long as it has viewers in this process.
import type { LivenessReader } from '../coordination/liveness.ts';
import type { LogHead } from '../log/log.ts';

/** The viewers of one execution in this process, as a relay sees them. */
export interface Audience {
  /** The shortest interval that one of them asks for. */
  readonly pollMs: number;
  /** Warns each of them once. */
  warn(code: string, message: string): void;
  /** Warns each of them, and each one that joins, until it is taken back by undefined. */
  setActiveWarning(warning: { readonly code: string; readonly message: string } | undefined): void;
}

/** Follows an execution; answers how to stop, which resolves when its leases are given back. */
export type Follow = (executionId: string, audience: Audience) => () => void | Promise<void>;

/** Follows by a loop that goes on until its signal is aborted, and ends when its leases are given back. */
export function followBy(
  loop: (executionId: string, audience: Audience, signal: AbortSignal) => Promise<void>,
): Follow {
  return (executionId, audience) => {
    const stopping = new AbortController();
    const ended = loop(executionId, audience, stopping.signal);
    return () => {
      stopping.abort();
      return ended;
    };
  };
}

/** Follows in every one of these ways. */
export function followAll(...ways: readonly Follow[]): Follow {
  return (executionId, audience) => {
    const stops = ways.map((follow) => follow(executionId, audience));
    return async () => {
      await Promise.all(stops.map((stop) => stop()));
    };
  };
}

/**
 * Whether an execution's events come from elsewhere than its row: a publisher holds the log, or gives signs of life
 * while the log is lost, or a source numbers its events itself.
 */
export async function isPublished(
  log: Pick<LivenessReader, 'silenceMs'>,
  executionId: string,
  head: LogHead | undefined,
): Promise<boolean> {
  if (head) return head.hasPublisher || head.numbering === 'fixed';
  return (await log.silenceMs(executionId)) !== undefined;
}
