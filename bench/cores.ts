// Who runs where: the server that is measured has a core of its own, all else shares the other one.
import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

/** Whether processes can be bound to cores here. */
export const ARE_PINNED =
  availableParallelism() > 1 && spawnSync('taskset', ['--version']).error === undefined;

const CORES = { server: '0', generator: '1' };

/** The command line that runs a command on a role's core; the command itself where that cannot be had. */
export function onCore(role: keyof typeof CORES, command: readonly string[]): string[] {
  return ARE_PINNED ? ['taskset', '-c', CORES[role], ...command] : [...command];
}

/** Moves a process that runs. */
export function moveToCore(role: keyof typeof CORES, pid: number): void {
  if (ARE_PINNED) spawnSync('taskset', ['-a', '-c', '-p', CORES[role], String(pid)]);
}
