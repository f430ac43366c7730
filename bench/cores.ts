// Assigns processes to cores: the measured server has its own core, everything else shares the other one.
import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

/** Whether processes can be pinned to cores on this machine. */
export const ARE_PINNED =
  availableParallelism() > 1 && spawnSync('taskset', ['--version']).error === undefined;

const CORES = { server: '0', generator: '1' };

/** The command line that runs a command on a role's core; unchanged if pinning is not possible. */
export function onCore(role: keyof typeof CORES, command: readonly string[]): string[] {
  return ARE_PINNED ? ['taskset', '-c', CORES[role], ...command] : [...command];
}

/** Pins a running process to a role's core. */
export function moveToCore(role: keyof typeof CORES, pid: number): void {
  if (ARE_PINNED) spawnSync('taskset', ['-a', '-c', '-p', CORES[role], String(pid)]);
}
