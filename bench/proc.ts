// The cost of a server as Linux accounts it: CPU time and memory of its processes with all their threads.
import { readFileSync } from 'node:fs';

/** Linux reports clock ticks in hundredths of a second on every platform that Node supports. */
const TICK_US = 10_000;

/** CPU time of processes so far, user and system, in µs. */
export function cpuUs(pids: readonly number[]): number {
  return sum(pids, (pid) => {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name is in parentheses and may contain spaces: fields are counted from its end.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * TICK_US;
  });
}

/**
 * Memory of processes in bytes: heap, stacks and shared memory, which is counted once. File-backed pages, which the
 * kernel can drop, are excluded.
 */
export function memoryBytes(pids: readonly number[]): number {
  return sum(pids, (pid) => {
    const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1');
    return 1024 * (kilobytes(rollup, 'Pss_Anon') + kilobytes(rollup, 'Pss_Shmem'));
  });
}

/** A process and its running child processes. */
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
