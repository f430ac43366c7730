// The workflow: reads each file in a task, then lets one agent make the contents while another writes a report.
import type { ExecutionPublisher } from '../../../src/worker.ts';
import type { TextFile } from '../files.ts';
import { type Conditions, conduct } from './conduct.ts';
import { makeContents } from './contents.ts';
import { readText } from './read.ts';
import { writeReport } from './report.ts';
import type { TextStatistics } from './statistics.ts';

export interface Digested {
  readonly workflowId: string;
  readonly files: number;
  readonly words: number;
}

/** How many files are read at a time. */
const READERS = 2;

/**
 * Digests some files.
 * @param onReport called when the agent that writes the report has begun.
 */
export function digest(
  conditions: Conditions,
  files: readonly TextFile[],
  onReport: (executionId: string) => void,
): Promise<Digested> {
  // The time makes the id unique, also among those of earlier processes.
  const id = `digest-${Date.now().toString(36)}`;
  const input = { files: files.map(({ path }) => path) };
  return conduct(conditions, { id, kind: 'workflow', name: 'digest', input }, async (workflow) => {
    await workflow.status('RUNNING', 'read the files');
    const texts = await readAll(conditions, workflow, files);

    await workflow.status('RUNNING', 'make the contents and the report');
    await allSettled([
      makeContents(conditions, workflow, texts),
      writeReport(conditions, workflow, texts, onReport),
    ]);

    const words = texts.reduce((sum, text) => sum + text.words, 0);
    await workflow.complete({ files: texts.length, words });
    return { workflowId: id, files: texts.length, words };
  });
}

async function readAll(
  conditions: Conditions,
  workflow: ExecutionPublisher,
  files: readonly TextFile[],
): Promise<TextStatistics[]> {
  const texts: TextStatistics[] = [];
  const left = files.entries();
  // Every reader takes the next file from the same iterator.
  const reader = async () => {
    for (const [i, file] of left) texts[i] = await readText(conditions, workflow, file, i + 1);
  };
  await allSettled(Array.from({ length: READERS }, reader));
  return texts;
}

/** Waits for all, also where one fails: a child must not outlive its workflow. */
async function allSettled(works: readonly Promise<unknown>[]): Promise<void> {
  for (const outcome of await Promise.allSettled(works)) {
    if (outcome.status === 'rejected') throw outcome.reason;
  }
}
