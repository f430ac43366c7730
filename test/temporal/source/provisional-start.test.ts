// The provisional start of a log, without a Temporal server.
import { expect, test } from 'vitest';
import { createMemoryLog } from '../../../src/log/memory.ts';
import { parseCopyNote } from '../../../src/temporal/source/copy-note.ts';
import { createFixedCopy } from '../../../src/temporal/source/fixed-copy.ts';
import { startProvisionally } from '../../../src/temporal/source/provisional-start.ts';
import type { WorkflowRun } from '../../../src/temporal/source/temporal-client.ts';
import type { WatchContext } from '../../../src/temporal/source/watch-context.ts';

const RUN = { workflowId: 'w', workflowType: 'W', runId: 'r1', startedAt: 1_000, attempt: 1 } as WorkflowRun;

test('the note of a provisional log says that its numbering is not confirmed by the workflow', async () => {
  const log = createMemoryLog();
  const copy = createFixedCopy({ log, executionId: 'w', fence: 1 });
  const context = { copy, log, executionId: 'w', signal: AbortSignal.abort() } as unknown as WatchContext;
  expect(await startProvisionally(context, RUN)).toBe(true);
  expect(parseCopyNote((await log.head('w'))!.note)).toMatchObject({ runId: 'r1', isProvisional: true });
  expect(await startProvisionally(context, RUN)).toBe(false);
  await log.close();
});
