// The tables of a run: one with the measures of each scenario, and one with the rows and their verdicts.
import type { Results } from '../results.ts';
import { isMissed, type Row } from '../rows.ts';

interface Column {
  readonly measure: string;
  readonly title: string;
  readonly digits: number;
}

const COLUMNS: readonly Column[] = [
  { measure: 'cpuUsPerFrame', title: 'CPU µs per frame', digits: 2 },
  { measure: 'busiestUsPerFrame', title: 'busiest process', digits: 2 },
  { measure: 'framesPerSecond', title: 'frames/s', digits: 0 },
  { measure: 'bytesPerFrame', title: 'bytes per frame', digits: 0 },
  { measure: 'p50Ms', title: 'p50 ms', digits: 2 },
  { measure: 'p99Ms', title: 'p99 ms', digits: 2 },
  { measure: 'kbPerViewer', title: 'kB per viewer', digits: 1 },
  { measure: 'eventsPerSecond', title: 'events/s', digits: 0 },
  { measure: 'growthMb', title: 'growth MB', digits: 1 },
  { measure: 'kbPerSlowViewer', title: 'kB per slow viewer', digits: 1 },
  { measure: 'delayP50Ms', title: 'event loop delay p50 ms', digits: 2 },
  { measure: 'delayP99Ms', title: 'p99 ms', digits: 2 },
  { measure: 'delayP999Ms', title: 'p99.9 ms', digits: 2 },
  { measure: 'delayMaxMs', title: 'max ms', digits: 2 },
  { measure: 'piecesPerSecond', title: 'pieces/s', digits: 0 },
  { measure: 'lost', title: 'lost', digits: 0 },
];

export interface Table {
  readonly title: string;
  readonly head: readonly string[];
  readonly lines: readonly (readonly string[])[];
}

/** One table per scenario. */
export function measureTables(results: Results): Table[] {
  return results.scenarios.map((scenario) => {
    const subjects = results.subjects(scenario);
    const columns = COLUMNS.filter(({ measure }) =>
      subjects.some((subject) => results.median(scenario, subject, measure) !== undefined),
    );
    const lines = subjects.map((subject) => [
      results.total(subject, 'lost') > 0 ? `${subject} (loses events)` : subject,
      ...columns.map(
        ({ measure, digits }) => results.median(scenario, subject, measure)?.toFixed(digits) ?? '',
      ),
    ]);
    return { title: scenario, head: ['server', ...columns.map(({ title }) => title)], lines };
  });
}

/** The rows with their targets. */
export function rowTable(rows: readonly Row[]): Table {
  const lines = rows.map((row) => [
    row.scenario,
    row.against,
    String(row.value),
    String(row.atLeast),
    isMissed(row) ? 'MISSED' : 'reached',
  ]);
  return { title: 'Ratios', head: ['scenario', 'against', 'ratio', 'at least', ''], lines };
}

/** Formats a table for a terminal. */
export function formatTable({ title, head, lines }: Table): string {
  const all = [head, ...lines];
  const widths = head.map((_, column) => Math.max(...all.map((line) => line[column]!.length)));
  const isNumber = head.map((_, column) => lines.every((line) => /^[\d.]*$/.test(line[column]!)));
  const text = all.map((line) =>
    line.map((cell, column) =>
      isNumber[column] ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!),
    ),
  );
  return `${title}\n${text.map((line) => `  ${line.join('  ').trimEnd()}`).join('\n')}`;
}

/** Formats a table as Markdown. */
export function markdown({ head, lines }: Table): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...lines.map(line)].join('\n');
}
