// Builds the package, because the server is measured as it is shipped and not compiled at startup.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../', import.meta.url));

/** Builds execstream. Returns the folder of the build. */
export function build(): string {
  const { status, stdout, stderr } = spawnSync('npm', ['run', 'build'], { cwd: ROOT, encoding: 'utf8' });
  if (status !== 0) throw new Error(`execstream could not be built:\n${stdout}${stderr}`);
  return `${ROOT}dist`;
}
