// Those who watch an execution in this process, as its tail knows them.
import { SmallSet } from '../async/small-set.ts';

/**
 * A lone viewer's events are kept for those who come right behind it. After so many it is likely to stay alone, and
 * what it has taken is let go of at once: what is kept until the next event outlives a collection of young garbage,
 * and with many executions that is most of what collecting costs (decision 0016). Who comes later reads the log.
 */
export const KEPT_WHILE_ALONE = 16;

/** How often a source is polled where no viewer asks otherwise. */
const POLL_MS = 500;

/** What a tail tells its viewers, and asks of them. */
export interface TailViewer {
  /** How often a source that announces nothing is to be asked. */
  readonly pollMs?: number | undefined;
  /** There may be something to take. */
  wake(): void;
  /** The log cannot be read for now; the stream goes on when it can. */
  warn(code: string, message: string): void;
}

export class ViewerSet extends SmallSet<TailViewer> {
  /** Events that came since the last one joined. */
  #heard = 0;

  override add(viewer: TailViewer): void {
    super.add(viewer);
    this.#heard = 0;
  }

  /** So many events have come. */
  hear(events: number): void {
    this.#heard += events;
  }

  /** Whether there is one, which has been alone for long. */
  get isAlone(): boolean {
    return this.only !== undefined && this.#heard > KEPT_WHILE_ALONE;
  }

  /** The shortest interval that one of them asks for. */
  get pollMs(): number {
    const asked = [...this].map(({ pollMs = POLL_MS }) => pollMs);
    return asked.length > 0 ? Math.min(...asked) : POLL_MS;
  }

  warn(code: string, message: string): void {
    this.forEach((viewer) => void viewer.warn(code, message));
  }

  wake(): void {
    this.forEach((viewer) => void viewer.wake());
  }
}
