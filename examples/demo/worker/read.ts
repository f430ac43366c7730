// A task in text mode: reads one file and streams its lines.
import { readLines, type TextFile } from '../files.ts';
import { callTool, type Parent } from './conduct.ts';
import { paced } from './pace.ts';
import { countText, type TextStatistics } from './statistics.ts';

/** The duration for one file of any length, in ms. */
const READ_MS = 2_000;

/** Reads a file in a separate task. */
export function readText(workflow: Parent, file: TextFile, number: number): Promise<TextStatistics> {
  const { path } = file;
  const everyMs = READ_MS / file.lines / workflow.pace;
  const task = { id: `${workflow.id}-read-${number}`, kind: 'task', name: path, input: { path } } as const;

  return workflow.runChild(task, async (run, signal) => {
    const tool = { toolCallId: `read-${number}`, toolName: 'read_file', args: { path } };
    const read = async () => {
      let text = '';
      for await (const line of paced(readLines(file), everyMs, signal)) {
        text += line;
        await run.text(line);
      }
      return countText(path, text);
    };
    const callers = workflow.stream ? [run, workflow.stream] : [run];
    const statistics = await callTool(callers, tool, read, ({ lines, words }) => ({ lines, words }));
    await run.complete();
    return statistics;
  });
}
