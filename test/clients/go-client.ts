// r3labs/sse, a Go client, if Go is on the machine and the module can be downloaded.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import type { Client } from './clients.ts';
import { restPath, seenOfJson } from './rest-clients.ts';

const run = promisify(execFile);

/** Builds the program in a folder. Returns its path, or why it is left out. */
export async function buildGoClient(folder: string): Promise<{ path: string } | { why: string }> {
  const path = join(folder, 'go-client');
  try {
    await run('go', ['build', '-o', path, '.'], {
      cwd: join(import.meta.dirname, 'go'),
      timeout: 150_000,
    });
    return { path };
  } catch (error) {
    return { why: error instanceof Error ? error.message : `${error}` };
  }
}

export const goClient = (path: string): Client => ({
  name: 'r3labs/sse (Go)',
  reconnecting: 'resumes',
  watch: async ({ url, id, note, signal }) => {
    const child = spawn(path, [`${url}${restPath(id)}?data=json`], { signal, killSignal: 'SIGKILL' });
    child.on('error', () => {});
    let errors = '';
    child.stderr.on('data', (chunk) => {
      errors += chunk;
    });
    createInterface({ input: child.stdout }).on('line', (line) => {
      const { id: cursor, event, data } = JSON.parse(line);
      if (event) note(seenOfJson(cursor, event, data));
    });
    const [code] = await once(child, 'close');
    if (code !== 0) throw new Error(errors);
  },
});
