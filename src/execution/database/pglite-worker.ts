// The worker thread that runs PGlite: receives Postgres protocol messages, sends replies (see pglite-thread.ts).
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';
import type { FromWorker, ToWorker, WorkerData } from './pglite-thread.ts';

const { folder } = workerData as WorkerData;
const port = parentPort!;
const post = (message: FromWorker, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer);

/** Errors of the file system: Emscripten numbers them as WASI does and gives them no message. */
const DISK_ERRORS: Readonly<Record<number, string>> = {
  2: 'Permission denied',
  19: 'Disk quota exceeded',
  22: 'File too large',
  29: 'Input/output error',
  51: 'No space left on device',
  69: 'Read-only file system',
};

/** Converts an error so that its message survives the transfer to the other thread. */
function toError(error: unknown): Error {
  // Without the path, which Node appends to the reason.
  if (error instanceof Error && 'syscall' in error) return new Error(error.message.split(', ')[0]);
  if (error instanceof Error) return error;
  const { name, errno } = (error ?? {}) as { name?: unknown; errno?: unknown };
  return new Error((typeof errno === 'number' && DISK_ERRORS[errno]) || `PGlite: ${name ?? error}, ${errno}`);
}

/**
 * Opens the database. While its files are created for the first time, there is a marker file next to them: files that
 * a full disk or a crash left incomplete contain no rows yet, and are created again.
 */
async function open(): Promise<PGlite> {
  const onStderr = (line: string) => {
    post({ stderr: line });
    return true;
  };
  if (folder === undefined) return PGlite.create({ onStderr });
  const marker = `${folder}.incomplete`;
  if (existsSync(marker)) rmSync(folder, { recursive: true, force: true });
  const isNew = !existsSync(folder);
  if (isNew) writeFileSync(marker, '');
  const database = await PGlite.create({ dataDir: folder, onStderr });
  if (isNew) rmSync(marker);
  return database;
}

/** The client of the current session. A transaction that it leaves open is rolled back before the next client. */
let current = 0;

async function run(database: PGlite, { client, bytes }: Exclude<ToWorker, 'close'>): Promise<void> {
  if (client !== current) {
    await database.exec('ROLLBACK');
    await database.exec('DISCARD ALL');
    current = client;
  }
  await database.execProtocolRawStream(bytes, {
    onRawData: (data) => {
      // A copy: the original is a view of PGlite's memory.
      const reply = data.slice();
      post({ client, reply }, [reply.buffer]);
    },
  });
}

try {
  const database = await open();
  let work = Promise.resolve();
  port.on('message', (message: ToWorker) => {
    work = work.then(async () => {
      try {
        if (message === 'close') {
          await database.close();
          port.close();
        } else {
          await run(database, message);
          post('done');
        }
      } catch (error) {
        throw toError(error);
      }
    });
  });
  post('ready');
} catch (error) {
  throw toError(error);
}
