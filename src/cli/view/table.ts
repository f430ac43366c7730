// Tables of plain text with aligned columns.
import { truncateToWidth, widthOf } from './text-width.ts';

export interface TableOptions {
  /** Spaces before each row. @default 0 */
  readonly indent?: number;
  /** The width that rows must not exceed; the columns that may shrink are cut. @default none */
  readonly columns?: number | undefined;
  /** The columns that may be cut, by index, widest first. Their cells have no colours. */
  readonly shrinking?: readonly number[];
}

const GAP = 2;
/** A cut column keeps this width. */
const MIN_WIDTH = 8;

/** The rows as lines, each with its line feed. */
export function formatTable(rows: readonly (readonly string[])[], options: TableOptions = {}): string {
  const { indent = 0, columns = Number.POSITIVE_INFINITY, shrinking = [] } = options;
  const count = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: count }, (_, i) =>
    Math.max(...rows.map((row) => widthOf(row[i] ?? ''))),
  );
  let excess = indent + widths.reduce((sum, width) => sum + width + GAP, -GAP) - columns;
  while (excess > 0) {
    const widest = [...shrinking].sort((a, b) => widths[b]! - widths[a]!)[0];
    if (widest === undefined || widths[widest]! <= MIN_WIDTH) break;
    widths[widest]! -= 1;
    excess -= 1;
  }
  const line = (row: readonly string[]) => {
    const cells = row.map((cell, i) => {
      const shown = shrinking.includes(i) ? truncateToWidth(cell, widths[i]!) : cell;
      return shown + ' '.repeat(Math.max(0, widths[i]! - widthOf(shown)));
    });
    return `${' '.repeat(indent)}${cells.join(' '.repeat(GAP)).trimEnd()}\n`;
  };
  return rows.map(line).join('');
}
