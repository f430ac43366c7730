// A task in text mode: reads one file and streams its lines as they are read.
import type { ExecutionPublisher } from '../../../src/worker.ts';
import { readLines, type TextFile } from '../files.ts';
import { type Conditions, callTool, conductChild } from './conduct.ts';
import { paced } from './pace.ts';
import { countText, type TextStatistics } from './statistics.ts';

/** How long one file is read, whatever its length. */
const READ_MS = 2_000;

/** Reads a file in a task of its own. */
export function readText(
  conditions: Conditions,
  workflow: ExecutionPublisher,
  file: TextFile,
  number: number,
): Promise<TextStatistics> {
  const { path } = file;
  const everyMs = READ_MS / file.lines / conditions.pace;
  const task = { id: `${workflow.id}-read-${number}`, kind: 'task', name: path, input: { path } } as const;

  return conductChild(conditions, workflow, task, async (run) => {
    const tool = { toolCallId: `read-${number}`, toolName: 'read_file', args: { path } };
    const read = async () => {
      let text = '';
      for await (const line of paced(readLines(file), everyMs, conditions.signal)) {
        text += line;
        await run.text(line);
      }
      return countText(path, text);
    };
    const statistics = await callTool([run, workflow], tool, read, ({ lines, words }) => ({ lines, words }));
    await run.complete();
    return statistics;
  });
}
