// The recorded ratios of the quick form, to detect a change that makes one fall by a third. They are recorded per
// kind of machine: where the kernel needs twice as long for a write, the ratios to servers that do more work per
// write are lower.
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fallenRows, type Row } from './rows.ts';

/** The ratios of one kind of machine. */
export interface Recorded {
  readonly processor: string;
  readonly rows: readonly Row[];
}

const FILE = new URL('recorded.json', import.meta.url);

/** The kind of machine, as the operating system names it. */
export const PROCESSOR = cpus()[0]?.model.trim() ?? 'unknown';

/** Replaces the ratios of this kind of machine. */
export function record(rows: readonly Row[]): void {
  const others = read().filter(({ processor }) => processor !== PROCESSOR);
  const machines = [...others, { processor: PROCESSOR, rows }];
  writeFileSync(FILE, `${JSON.stringify({ machines }, null, 2)}\n`);
}

/**
 * Whether no ratio has fallen by more than a third; logs those that have. Because machines are shared, a ratio
 * counts as fallen only if a second measurement confirms it.
 */
export async function checkRecorded(
  rows: readonly Row[],
  measureAgain: () => Promise<readonly Row[]>,
  log: (line: string) => void,
): Promise<boolean> {
  const fallen = fallenRows(rows, recordedOf(PROCESSOR, read()));
  if (fallen.length === 0) return true;
  log('\nmeasuring again, because ratios have fallen:');
  const confirmed = fallenRows(
    await measureAgain(),
    fallen.map(({ was }) => was),
  );
  for (const { row, was } of confirmed) {
    log(
      `${was.scenario} against ${was.against} has fallen from ${was.value} to ${row?.value ?? 'no measurement'}`,
    );
  }
  return confirmed.length === 0;
}

/** The ratios of a kind of machine; for an unknown kind, the lowest of all kinds. */
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
