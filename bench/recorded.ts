// The ratios of the quick form as they once were: a change that makes them fall by a third is to be noticed.
import { readFileSync, writeFileSync } from 'node:fs';
import { fallenRows, type Row } from './rows.ts';

const FILE = new URL('recorded.json', import.meta.url);

export function record(rows: readonly Row[]): void {
  writeFileSync(FILE, `${JSON.stringify({ rows }, null, 2)}\n`);
}

/**
 * Whether no ratio has fallen by more than a third; says so otherwise. Machines are shared: one that seems to have
 * fallen is measured again, and has where it does so twice.
 */
export async function checkRecorded(
  rows: readonly Row[],
  measureAgain: () => Promise<readonly Row[]>,
  say: (line: string) => void,
): Promise<boolean> {
  const recorded = (JSON.parse(readFileSync(FILE, 'utf8')) as { rows: Row[] }).rows;
  const fallen = fallenRows(rows, recorded);
  if (fallen.length === 0) return true;
  say('\nmeasured again, for what has fallen:');
  const twice = fallenRows(
    await measureAgain(),
    fallen.map(({ was }) => was),
  );
  for (const { row, was } of twice) {
    say(
      `${was.scenario} against ${was.against} has fallen from ${was.value} to ${row?.value ?? 'nothing measured'}`,
    );
  }
  return twice.length === 0;
}
