// The activities of the digest's children. Each publishes its own execution, a child of the workflow's.
import { type Publisher, publishActivity } from '../../../../src/worker.ts';
import type { TextFile } from '../../files.ts';
import type { Parent } from '../conduct.ts';
import { makeContents } from '../contents.ts';
import { readText } from '../read.ts';
import { writeReport } from '../report.ts';
import type { TextStatistics } from '../statistics.ts';

export type Activities = ReturnType<typeof createActivities>;

/** The number of word counts of a text that an activity returns: results are stored in the workflow's history. */
const MAX_COUNTS = 2_000;

/** @param onReport called when an agent starts to write a report. */
export function createActivities(
  publisher: Publisher,
  pace: number,
  onReport: (executionId: string) => void,
) {
  const workflow = (id: string): Parent => ({
    id,
    pace,
    conduct: (child, work) => publishActivity(publisher, child, (run, { signal }) => work(run, signal)),
  });
  return {
    async read(id: string, file: TextFile, number: number): Promise<TextStatistics> {
      const text = await readText(workflow(id), file, number);
      return { ...text, counts: text.counts.slice(0, MAX_COUNTS) };
    },
    contents: (id: string, texts: TextStatistics[]) => makeContents(workflow(id), texts),
    report: (id: string, texts: TextStatistics[]) => writeReport(workflow(id), texts, onReport),
  };
}
