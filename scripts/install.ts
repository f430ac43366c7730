// Installs missing parts, with apt-get where Debian has them, where the runner is allowed to: in CI, or when asked.
import { spawnSync } from 'node:child_process';
import type { Part } from './test-services.ts';

/**
 * Installs the parts. Debian's packages of servers may start a service of their own: it is left
 * alone, for the suites' servers have ports and folders of their own.
 * @throws Error saying which command failed.
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
  // Another apt-get may be at work: wait for its lock rather than fail.
  const command = ['apt-get', '-q', '-o', 'DPkg::Lock::Timeout=300', ...args];
  console.log(`$ ${command.join(' ')}`);
  const { status, error } = spawnSync(command[0]!, command.slice(1), {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  if (status !== 0) throw new Error(`"${command.join(' ')}" failed: ${error?.message ?? `code ${status}`}`);
}
