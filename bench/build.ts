// The build that is measured: run through a compiler at its start, our server would be another one.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../', import.meta.url));

/** Builds execstream, and tells where. */
export function build(): string {
  const { status, stdout, stderr } = spawnSync('npm', ['run', 'build'], { cwd: ROOT, encoding: 'utf8' });
  if (status !== 0) throw new Error(`execstream could not be built:\n${stdout}${stderr}`);
  return `${ROOT}dist`;
}
