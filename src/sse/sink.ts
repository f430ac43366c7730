import type { Frame } from './frame.ts';

/** Where a stream's frames go. */
export interface Sink {
  /** Whether it accepts more. When it does again, it calls the stream's `wake` or `advance`. */
  readonly ready: boolean;
  write(frame: Frame): void;
  /** Ends the response, after everything that was written. */
  end(): void;
  /** Breaks the connection after everything that was written: no client takes the response for a complete one. */
  interrupt(): void;
  /** Breaks the connection immediately. */
  abort(): void;
}
