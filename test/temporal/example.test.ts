// examples/temporal-worker does what its README says.
import { expect, test } from 'vitest';
import { createWorker } from '../../examples/temporal-worker/worker.ts';
import { createMemoryLog } from '../../src/log/memory.ts';
import { createMemoryStore } from '../support/memory-store.ts';
import { describeTemporal, useTemporal } from '../support/temporal.ts';
import { until } from '../support/wait.ts';
import { uniqueId } from './rig.ts';

describeTemporal('the example worker', () => {
  const temporal = useTemporal();

  test('streams its workflow, its task and its agent', async () => {
    const [log, store] = [createMemoryLog(), createMemoryStore()];
    const taskQueue = uniqueId('digests');
    const worker = await createWorker(temporal.native, { log, store }, taskQueue);
    const running = worker.run();
    const workflowId = uniqueId('digest');
    const handle = await temporal.client.workflow.start('digest', { taskQueue, workflowId, args: ['ants'] });
    const text = 'ants have six legs, and ants carry many times their weight.';
    try {
      expect(await handle.result()).toBe(text);
      await until(async () => (await log.head(workflowId))?.end);
    } finally {
      worker.shutdown();
      await running;
    }
    const { events } = (await log.read(workflowId, 0, 100))!;
    expect(events.map(({ type }) => type)).toEqual([
      'workflow_start',
      'workflow_status',
      'task_start',
      'task_status',
      'workflow_status',
      'agent_start',
      'agent_status',
      'complete',
    ]);
    const children = (await store.childrenOf([workflowId], { first: 10 })).get(workflowId)!.executions;
    const [task, agent] = await Promise.all(children.map(({ id }) => store.get(id)));
    expect(task!.result).toEqual(['ants have six legs', 'ants carry many times their weight']);
    expect(agent).toMatchObject({ kind: 'agent', status: 'SUCCESS', result: text });
    const chunks = (await log.read(agent!.id, 0, 100))!.events.filter(({ type }) => type === 'llm_chunk');
    expect(chunks.map(({ data }) => (data as { content: string }).content).join('')).toBe(text);
    expect(chunks.length).toBeGreaterThan(5);
    await log.close();
  });
});
