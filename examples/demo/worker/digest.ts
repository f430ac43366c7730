// The workflow: reads each file in a task, then runs two agents, one for the contents and one for the report.
import type { TextFile } from '../files.ts';
import { type Parent, runChild, runExecution, type WorkContext } from './conduct.ts';
import { makeContents } from './contents.ts';
import { readText } from './read.ts';
import { writeReport } from './report.ts';
import { allSettled, readAll, STEPS } from './steps.ts';

export interface Digested {
  readonly workflowId: string;
  readonly files: number;
  readonly words: number;
}

/**
 * Digests files.
 * @param onReport called when the agent that writes the report has started.
 */
export function digest(
  context: WorkContext,
  files: readonly TextFile[],
  onReport: (executionId: string) => void,
): Promise<Digested> {
  // The time makes the id unique, also across restarts.
  const id = `digest-${Date.now().toString(36)}`;
  const input = { files: files.map(({ path }) => path) };
  return runExecution(context, { id, kind: 'workflow', name: 'digest', input }, async (workflow) => {
    const parent: Parent = {
      id,
      pace: context.pace,
      stream: workflow,
      runChild: (child, work) => runChild(context, workflow, child, (run) => work(run, context.signal)),
    };
    await workflow.status('RUNNING', STEPS.read);
    const texts = await readAll(files, (file, number) => readText(parent, file, number));

    await workflow.status('RUNNING', STEPS.write);
    await allSettled([makeContents(parent, texts), writeReport(parent, texts, onReport)]);

    const words = texts.reduce((sum, text) => sum + text.words, 0);
    await workflow.complete({ files: texts.length, words });
    return { workflowId: id, files: texts.length, words };
  });
}
