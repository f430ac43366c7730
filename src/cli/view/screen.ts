// Text that grows in a terminal, with a line below it that is replaced: the progress. It never writes anything above the
// two lowest lines again, so that the terminal's scrolling and copying work as usual.
//
// The row of text that is not full yet, and the progress, are rewritten with every change. They do not wrap, so that the
// number of their rows is known whatever the terminal thinks of the width of a character.
import { sanitize, wrapRows } from './text-width.ts';

const NO_WRAP = '\x1b[?7l';
const WRAP = '\x1b[?7h';
const ERASE_BELOW = '\x1b[J';
const ONE_UP = '\x1b[1A';

/** Narrower terminals are treated as if they had this width. */
const MIN_COLUMNS = 10;

export interface Screen {
  /** Adds text, which continues the last row. */
  text(text: string): void;
  /** Adds complete lines. */
  lines(text: string): void;
  /** Replaces the progress. */
  progress(line: string): void;
  /** Writes all changes. */
  flush(): void;
  /** Removes the progress, and ends the last row. */
  close(): void;
}

/** @param columnsOf the width of the terminal */
export function createScreen(write: (output: string) => void, columnsOf: () => number | undefined): Screen {
  /** Complete rows that were not written yet. */
  let finished = '';
  let row = '';
  let progress = '';
  let drawnRows = 0;
  let hasChanged = false;

  function add(text: string): void {
    const columns = Math.max(MIN_COLUMNS, columnsOf() ?? 80);
    const lines = (row + sanitize(text)).split('\n');
    const last = wrapRows(lines.pop()!, columns);
    row = last.pop()!;
    const rows = [...lines.flatMap((line) => wrapRows(line, columns)), ...last];
    finished += rows.map((each) => `${each}\n`).join('');
    hasChanged = true;
  }

  function endRow(): void {
    if (row === '') return;
    finished += `${row}\n`;
    row = '';
    hasChanged = true;
  }

  function erase(): string {
    if (drawnRows === 0) return '';
    return `\r${ONE_UP.repeat(drawnRows - 1)}${ERASE_BELOW}`;
  }

  function flush(): void {
    if (!hasChanged) return;
    hasChanged = false;
    const live = [row, progress].filter((each) => each !== '');
    const start = erase();
    drawnRows = live.length;
    write(`${start}${finished}${live.length > 0 ? `${NO_WRAP}${live.join('\n')}${WRAP}` : ''}`);
    finished = '';
  }

  return {
    text: add,
    lines(text) {
      endRow();
      finished += `${text}\n`;
      hasChanged = true;
    },
    progress(line) {
      if (line === progress) return;
      progress = line;
      hasChanged = true;
    },
    flush,
    close() {
      endRow();
      progress = '';
      hasChanged = true;
      flush();
    },
  };
}
