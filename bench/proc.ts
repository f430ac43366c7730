// What a server costs, as Linux counts it: CPU time and memory of its processes, all threads included.
import { readFileSync } from 'node:fs';

/** Linux' clock ticks are reported in hundredths of a second on every platform that Node runs on. */
const TICK_US = 10_000;

/** CPU time of processes so far, user and system, in µs. */
export function cpuUs(pids: readonly number[]): number {
  return sum(pids, (pid) => {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name stands in parentheses and may hold blanks: what follows it is counted from its end.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * TICK_US;
  });
}

/**
 * Memory of processes that is theirs, in bytes: heap, stacks and what they share with one another, counted once.
 * Pages of files, which the system drops at will, are left out.
 */
export function memoryBytes(pids: readonly number[]): number {
  return sum(pids, (pid) => {
    const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1');
    return 1024 * (kilobytes(rollup, 'Pss_Anon') + kilobytes(rollup, 'Pss_Shmem'));
  });
}

/** The processes that a process has started and that still run, itself first. */
export function familyOf(pid: number): number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1');
  return [pid, ...children.split(' ').filter(Boolean).map(Number)];
}

function kilobytes(rollup: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(rollup)?.[1] ?? 0);
}

function sum(pids: readonly number[], of: (pid: number) => number): number {
  return pids.reduce((total, pid) => total + of(pid), 0);
}
