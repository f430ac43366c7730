// The steps of a digest, with and without Temporal. It imports only types, so that it runs in Temporal's sandbox.
import type { TextFile } from '../files.ts';
import type { TextStatistics } from './statistics.ts';

/** The steps in the workflow's status. */
export const STEPS = { read: 'read the files', write: 'make the contents and the report' } as const;

/** The number of concurrent readers. */
const READERS = 2;

/** Reads all files, a few concurrently; they are numbered from 1. */
export async function readAll(
  files: readonly TextFile[],
  read: (file: TextFile, number: number) => Promise<TextStatistics>,
): Promise<TextStatistics[]> {
  const texts: TextStatistics[] = [];
  const remaining = files.entries();
  // Every reader takes the next file from the same iterator.
  const reader = async () => {
    for (const [i, file] of remaining) texts[i] = await read(file, i + 1);
  };
  await allSettled(Array.from({ length: READERS }, reader));
  return texts;
}

/** Waits for all, even if one fails, because a child must not outlive its workflow. */
export async function allSettled(promises: readonly Promise<unknown>[]): Promise<void> {
  for (const outcome of await Promise.allSettled(promises)) {
    if (outcome.status === 'rejected') throw outcome.reason;
  }
}
