// Shows an execution in a pipe or file: the text or value alone goes to stdout, and lines about everything else to stderr. A
// workflow has neither text nor value as a rule, so its lines go to stdout.
import type { ExecutionKind } from '../../event/events.ts';
import { contentToText, textChange } from './content.ts';
import { eventLine } from './event-line.ts';
import type { Style } from './style.ts';
import { type ExecutionView, type Writable, writeTo } from './view.ts';

export interface PlainViewOptions {
  readonly kind: ExecutionKind;
  readonly out: Writable;
  readonly err: Writable;
  /** Of stderr. */
  readonly style: Style;
}

export function createPlainView({ kind, out, err, style }: PlainViewOptions): ExecutionView {
  const lines = kind === 'workflow' ? out : err;
  let isInLine = false;
  let wasLive = false;
  let isLost = false;

  async function write(text: string): Promise<void> {
    if (text === '') return;
    isInLine = !text.endsWith('\n');
    await writeTo(out, text);
  }

  async function endLine(): Promise<void> {
    if (isInLine) await write('\n');
  }

  return {
    async event(event, before, after) {
      const line = eventLine(event, kind, style);
      if (line !== undefined) {
        if (lines === out) await endLine();
        await writeTo(lines, `${line}\n`);
      }
      const change = textChange(event, before, after);
      if (change?.isRestart || event.type === 'reset') await endLine();
      if (change) await write(change.text);
    },
    link(link) {
      // A rotation reconnects at its first attempt, and is not worth a line.
      if (link.status === 'lost' && link.reason !== undefined && !isLost) {
        isLost = true;
        err.write(`${wasLive ? 'connection lost' : 'not connected'} (${link.reason}); trying again\n`);
      }
      if (link.status !== 'live') return;
      if (isLost) err.write(`${wasLive ? 'reconnected' : 'connected'}\n`);
      wasLive = true;
      isLost = false;
    },
    async content(content) {
      await endLine();
      await write(contentToText(content));
      await endLine();
    },
    note: (line) => void err.write(`${line}\n`),
    close() {
      if (isInLine) out.write('\n');
      isInLine = false;
    },
  };
}
