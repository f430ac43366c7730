// Shows an execution to programs: one event per line, as JSON.
import { type ExecutionView, type Writable, writeTo } from './view.ts';

export function createJsonView(out: Writable, err: Writable): ExecutionView {
  return {
    event: (event) => writeTo(out, `${JSON.stringify(event)}\n`),
    link() {},
    // The events contain it.
    async content() {},
    note: (line) => void err.write(`${line}\n`),
    close() {},
  };
}
