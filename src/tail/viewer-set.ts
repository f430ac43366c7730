// The viewers of one execution in this process.
import { SmallSet } from '../async/small-set.ts';

/**
 * Events that are kept in the ring while an execution has a single viewer, for a second one that joins soon after it.
 * After that many the viewer is likely to remain the only one, and events are dropped as soon as it has taken them:
 * events that are kept until the next one survive a collection of young garbage, and with many executions that is most
 * of the cost of garbage collection (docs/decisions/0016). A viewer that joins later reads the log.
 */
export const KEPT_WHILE_ALONE = 16;

/** How often a source is polled if no viewer requests another interval. */
const POLL_MS = 500;

/** A viewer, as its tail uses it. */
export interface TailViewer {
  /** How often to poll a source that does not announce its events, in ms. */
  readonly pollMs?: number | undefined;
  /** Called when an event may be available. */
  wake(): void;
  /** Called when the log or the source is unavailable; the stream continues once it is available again. */
  warn(code: string, message: string): void;
}

/** Extends a set rather than holding one: an announcement then loads one object less from memory. */
export class ViewerSet extends SmallSet<TailViewer> {
  /** Events since the last viewer joined. */
  #eventsSinceJoin = 0;

  override add(viewer: TailViewer): void {
    super.add(viewer);
    this.#eventsSinceJoin = 0;
  }

  /** Counts events that were added to the tail. */
  countEvents(events: number): void {
    this.#eventsSinceJoin += events;
  }

  /** Whether there is a single viewer, which is likely to remain the only one. */
  get isAlone(): boolean {
    return this.only !== undefined && this.#eventsSinceJoin > KEPT_WHILE_ALONE;
  }

  /** The shortest interval that a viewer has requested, in ms. */
  get pollMs(): number {
    const intervals = [...this].map(({ pollMs = POLL_MS }) => pollMs);
    return intervals.length > 0 ? Math.min(...intervals) : POLL_MS;
  }

  warn(code: string, message: string): void {
    this.forEach((viewer) => void viewer.warn(code, message));
  }

  wake(): void {
    this.forEach((viewer) => void viewer.wake());
  }
}
