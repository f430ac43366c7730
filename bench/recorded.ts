// The ratios of the quick form as they once were: a change that makes them fall by a third is to be noticed.
import { readFileSync, writeFileSync } from 'node:fs';
import { fallenRows, type Row } from './rows.ts';

const FILE = new URL('recorded.json', import.meta.url);

export function record(rows: readonly Row[]): void {
  writeFileSync(FILE, `${JSON.stringify({ rows }, null, 2)}\n`);
}

/** Whether no ratio has fallen by more than a third; says so otherwise. */
export function checkRecorded(rows: readonly Row[], say: (line: string) => void): boolean {
  const recorded = (JSON.parse(readFileSync(FILE, 'utf8')) as { rows: Row[] }).rows;
  const fallen = fallenRows(rows, recorded);
  for (const { row, was } of fallen) {
    say(`${row.scenario} against ${row.against} has fallen from ${was} to ${row.value}`);
  }
  const missing = recorded.filter(
    ({ scenario, against }) => !rows.some((row) => row.scenario === scenario && row.against === against),
  );
  for (const { scenario, against } of missing) say(`${scenario} against ${against} was not measured`);
  return fallen.length === 0 && missing.length === 0;
}
