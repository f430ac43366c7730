// How an execution is shown: as JSON, as plain text or in a terminal.
import type { ExecutionEvent, JsonValue } from '../../event/events.ts';
import type { ExecutionState } from '../../event/state.ts';

/** The connection of a stream, as a person sees it. */
export type LinkStatus =
  | { readonly status: 'connecting' }
  | { readonly status: 'live' }
  /** Another attempt follows. The reason is that of an attempt that failed. */
  | { readonly status: 'lost'; readonly reason?: string };

export interface ExecutionView {
  /** Shows an event. Resolves when the output takes more, so that a slow reader slows the stream down. */
  event(event: ExecutionEvent, before: ExecutionState, after: ExecutionState): Promise<void>;
  link(status: LinkStatus): void;
  /** Shows the value, or a result that the stream did not contain. */
  content(content: JsonValue): Promise<void>;
  /** A line for a person, such as the command with which to resume. */
  note(line: string): void;
  /** Leaves the output ready for other programs. */
  close(): void;
}

/** A stream to write to. */
export interface Writable {
  write(text: string): boolean;
  once(event: 'drain', listener: () => void): unknown;
}

/** Writes, and waits if the stream does not take more. */
export function writeTo(stream: Writable, text: string): Promise<void> {
  return new Promise((resolve) => {
    if (text === '' || stream.write(text)) resolve();
    else stream.once('drain', resolve);
  });
}
