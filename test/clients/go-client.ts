// Go readers: r3labs/sse, and a scanner of lines, if Go is on the machine and the modules can be downloaded.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import type { Client, Reconnecting } from './clients.ts';
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

const clientOf = (program: string, reader: string, name: string, reconnecting: Reconnecting): Client => ({
  name,
  reconnecting,
  watch: async ({ url, id, note, signal }) => {
    const args = [reader, `${url}${restPath(id)}?data=json`];
    const child = spawn(program, args, { signal, killSignal: 'SIGKILL' });
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

export const goClients = (program: string): Client[] => [
  clientOf(program, 'r3labs', 'r3labs/sse (Go)', 'resumes'),
  clientOf(program, 'scanner', 'bufio.Scanner (Go)', 'error'),
];
