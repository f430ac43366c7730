// The activities: the work of the digest's children. Each is published as a child execution of its workflow.
import { type Publisher, publishActivity } from '../../../../src/worker.ts';
import type { TextFile } from '../../files.ts';
import type { Parent } from '../conduct.ts';
import { makeContents } from '../contents.ts';
import { readText } from '../read.ts';
import { writeReport } from '../report.ts';
import type { TextStatistics } from '../statistics.ts';

export type Activities = ReturnType<typeof createActivities>;

/** Limits the words in an activity's result, because results are stored in the workflow's history. */
const MAX_COUNTS = 2_000;

/** @param onReport called when an agent that writes a report has started. */
export function createActivities(
  publisher: Publisher,
  pace: number,
  onReport: (executionId: string) => void,
) {
  const workflow = (id: string): Parent => ({
    id,
    pace,
    runChild: (child, work) => publishActivity(publisher, child, (run, { signal }) => work(run, signal)),
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
