// What follows executions in a server process. An execution is followed for as long as it has viewers in the process.
import type { LivenessReader } from '../coordination/liveness.ts';
import type { LogHead } from '../log/log.ts';

/** How long a row is missing before its execution counts as deleted: an engine may delete and insert it again. */
export const DELETED_MS = 3_000;

/** The viewers of one execution in this process. */
export interface Audience {
  /** The incarnation of the row that the viewers' log belongs to; undefined if it is unknown. */
  readonly incarnation: string | undefined;
  /** The shortest poll interval that a viewer requests, in ms. */
  readonly pollMs: number;
  /** Sends a warning once to each current viewer. */
  warn(code: string, message: string): void;
  /** Sends a warning to each current viewer and to each one that joins, until it is cleared with undefined. */
  setActiveWarning(warning: { readonly code: string; readonly message: string } | undefined): void;
}

/** Follows an execution; returns a function that stops, and resolves once all leases are released. */
export type Follow = (executionId: string, audience: Audience) => () => void | Promise<void>;

/** Where the events of an execution come from if nobody publishes them. */
export interface Source {
  /** Copies new events into the log while the execution has viewers. */
  readonly follow: Follow;
  /**
   * Copies the events of an execution once, its end included if it has ended; does nothing while another process
   * copies them.
   * @throws ExecstreamError `SOURCE_UNAVAILABLE` if the log, the store or the origin of the events is unavailable
   */
  copy(executionId: string): Promise<void>;
}

/** Follows with a loop that runs until its signal is aborted, and returns once its leases are released. */
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

/** Combines several ways to follow an execution. */
export function followAll(...follows: readonly Follow[]): Follow {
  return (executionId, audience) => {
    const stops = follows.map((follow) => follow(executionId, audience));
    return async () => {
      await Promise.all(stops.map((stop) => stop()));
    };
  };
}

/**
 * Whether the events of an execution come from elsewhere than its row: a publisher holds the log, or sends heartbeats
 * while the log is lost, or a source numbers the events.
 */
export async function isPublished(
  log: Pick<LivenessReader, 'silenceMs'>,
  executionId: string,
  head: LogHead | undefined,
): Promise<boolean> {
  if (head) return head.hasPublisher || head.numbering === 'fixed';
  return (await log.silenceMs(executionId)) !== undefined;
}
