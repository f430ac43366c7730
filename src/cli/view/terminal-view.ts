// Shows an execution in a terminal: its text as it grows, lines about everything else in between, and the progress below.

import type { ExecutionKind } from '../../event/events.ts';
import { type ExecutionState, initialState } from '../../event/state.ts';
import { contentToText, textChange } from './content.ts';
import { eventLine } from './event-line.ts';
import { progressLine } from './progress.ts';
import { createScreen } from './screen.ts';
import type { Style } from './style.ts';
import { type ExecutionView, type LinkStatus, type Writable, writeTo } from './view.ts';

export interface TerminalViewOptions {
  readonly kind: ExecutionKind;
  readonly out: Writable & { readonly columns?: number };
  readonly style: Style;
}

/** Events that arrive together are drawn together. */
const FRAME_MS = 40;
/** The progress shows the time. */
const TICK_MS = 1_000;

export function createTerminalView({ kind, out, style }: TerminalViewOptions): ExecutionView {
  let drained: Promise<void> = Promise.resolve();
  const screen = createScreen(
    (output) => {
      drained = writeTo(out, output);
    },
    () => out.columns,
  );
  const startedAt = Date.now();
  let state: ExecutionState = initialState(kind);
  let link: LinkStatus = { status: 'connecting' };
  let frame: NodeJS.Timeout | undefined;
  const ticks = setInterval(draw, TICK_MS);
  draw();

  function draw(): void {
    clearTimeout(frame);
    frame = undefined;
    const elapsedMs = Date.now() - startedAt;
    screen.progress(progressLine({ state, link, elapsedMs }, out.columns ?? 80, style));
    screen.flush();
  }

  function schedule(): void {
    frame ??= setTimeout(draw, FRAME_MS);
  }

  return {
    async event(event, before, after) {
      state = after;
      const line = eventLine(event, kind, style);
      if (line !== undefined) screen.lines(line);
      const change = textChange(event, before, after);
      if (change) screen.text(change.text);
      schedule();
      await drained;
    },
    link(status) {
      link = status;
      schedule();
    },
    async content(content) {
      screen.lines('');
      screen.text(contentToText(content));
    },
    note: (line) => screen.lines(line),
    close() {
      clearInterval(ticks);
      clearTimeout(frame);
      screen.close();
    },
  };
}
