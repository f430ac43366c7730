// The steps of a digest, whoever runs it. Also for Temporal's sandbox, so it imports nothing but types.
import type { TextFile } from '../files.ts';
import type { TextStatistics } from './statistics.ts';

/** What the workflow's status says. */
export const STEPS = { read: 'read the files', write: 'make the contents and the report' } as const;

/** How many files are read at a time. */
const READERS = 2;

/** Reads all files, a few at a time; they are numbered from 1. */
export async function readAll(
  files: readonly TextFile[],
  read: (file: TextFile, number: number) => Promise<TextStatistics>,
): Promise<TextStatistics[]> {
  const texts: TextStatistics[] = [];
  const left = files.entries();
  // Every reader takes the next file from the same iterator.
  const reader = async () => {
    for (const [i, file] of left) texts[i] = await read(file, i + 1);
  };
  await allSettled(Array.from({ length: READERS }, reader));
  return texts;
}

/** Waits for all, also where one fails: a child must not outlive its workflow. */
export async function allSettled(works: readonly Promise<unknown>[]): Promise<void> {
  for (const outcome of await Promise.allSettled(works)) {
    if (outcome.status === 'rejected') throw outcome.reason;
  }
}
