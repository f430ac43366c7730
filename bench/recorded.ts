// The ratios of the quick form as they once were: a change that makes them fall by a third is to be noticed. Of each
// kind of machine apart: where the kernel needs twice as long for a write, ratios to servers that need more of their
// own time are lower.
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fallenRows, type Row } from './rows.ts';

/** The ratios as they were on one kind of machine. */
export interface Recorded {
  readonly processor: string;
  readonly rows: readonly Row[];
}

const FILE = new URL('recorded.json', import.meta.url);

/** The kind of machine, as the system names it. */
export const PROCESSOR = cpus()[0]?.model.trim() ?? 'unknown';

/** Replaces what was recorded on this kind of machine. */
export function record(rows: readonly Row[]): void {
  const others = read().filter(({ processor }) => processor !== PROCESSOR);
  const machines = [...others, { processor: PROCESSOR, rows }];
  writeFileSync(FILE, `${JSON.stringify({ machines }, null, 2)}\n`);
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
  const fallen = fallenRows(rows, recordedOf(PROCESSOR, read()));
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

/** What was recorded on a kind of machine; on one that is new, the lowest of what was on any. */
export function recordedOf(processor: string, machines: readonly Recorded[]): readonly Row[] {
  const own = machines.find((each) => each.processor === processor);
  if (own) return own.rows;
  const lowest = new Map<string, Row>();
  for (const row of machines.flatMap(({ rows }) => rows)) {
    const key = `${row.scenario} against ${row.against}`;
    const known = lowest.get(key);
    if (!known || row.value < known.value) lowest.set(key, row);
  }
  return [...lowest.values()];
}

function read(): Recorded[] {
  return (JSON.parse(readFileSync(FILE, 'utf8')) as { machines: Recorded[] }).machines;
}
