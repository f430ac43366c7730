// Installs missing programs if that is allowed: in CI, or on request. Uses apt-get if Debian has a package.
import { spawnSync } from 'node:child_process';
import type { Part } from './test-services.ts';

/**
 * Installs the programs. Debian's server packages may start a service; it does not interfere, because suites use
 * their own ports and folders.
 * @throws Error that names the command that failed.
 */
export function install(parts: readonly Part[]): void {
  const packages = parts.flatMap((part) => part.package ?? []);
  if (packages.length > 0) {
    apt(['update']);
    apt(['install', '-y', '--no-install-recommends', ...packages]);
  }
  for (const part of parts) part.install?.();
}

function apt(args: readonly string[]): void {
  // Another apt-get may be running: wait for its lock.
  const command = ['apt-get', '-q', '-o', 'DPkg::Lock::Timeout=300', ...args];
  console.log(`$ ${command.join(' ')}`);
  const { status, error } = spawnSync(command[0]!, command.slice(1), {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  if (status !== 0) throw new Error(`"${command.join(' ')}" failed: ${error?.message ?? `code ${status}`}`);
}
