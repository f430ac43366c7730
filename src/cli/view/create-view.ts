// Chooses how an execution is shown: by the flags, and by whether stdout is a terminal.
import type { ExecutionKind } from '../../event/events.ts';
import { createJsonView } from './json-view.ts';
import { createPlainView } from './plain-view.ts';
import { createStyle } from './style.ts';
import { createTerminalView } from './terminal-view.ts';
import type { ExecutionView } from './view.ts';

export interface ViewOptions {
  readonly json?: true;
  /** @default true */
  readonly color: boolean;
}

export function createView(kind: ExecutionKind, { json, color }: ViewOptions): ExecutionView {
  const { stdout: out, stderr: err } = process;
  if (json) return createJsonView(out, err);
  if (out.isTTY) return createTerminalView({ kind, out, style: createStyle(out, color) });
  return createPlainView({ kind, out, err, style: createStyle(err, color) });
}
