// The Temporal servers of the suites: a persistent one keeps its workflows after a kill.
import { expect, test } from 'vitest';
import {
  connectTo,
  describeOwnTemporal,
  describeTemporal,
  startTemporal,
  useTemporal,
} from '../support/temporal.ts';
import { until } from '../support/wait.ts';
import { queryStream, startWorker, summaryOf, uniqueId } from './rig.ts';

describeTemporal('the shared Temporal', () => {
  const temporal = useTemporal();

  test('responds', async () => {
    const { serverVersion } = await temporal.client.workflowService.getSystemInfo({});
    expect(serverVersion).toMatch(/^\d+\.\d+/);
  });
});

describeOwnTemporal('a persistent Temporal server', () => {
  test('keeps its workflows after a kill, and their streams continue', async () => {
    await using server = await startTemporal({ persistent: true });
    const temporal = await connectTo(server.address);
    try {
      await using worker = await startWorker(temporal);
      const { taskQueue } = worker;
      const handle = await temporal.client.workflow.start('onSignal', {
        taskQueue,
        workflowId: uniqueId('survivor'),
        args: [2],
      });
      await handle.signal('go');
      await until(async () => (await queryStream(handle)).next === 3);
      await server.kill();
      await expect(
        temporal.client.connection.withDeadline(Date.now() + 300, () => queryStream(handle)),
      ).rejects.toThrow();
      await server.restart();
      await until(() => handle.signal('go').then(() => true), { timeoutMs: 30_000 });
      expect(await handle.result()).toBe(2);
      expect((await queryStream(handle)).events.map(summaryOf).slice(1)).toEqual([
        '2 workflow_status signal 1',
        '3 workflow_status signal 2',
        '4 complete SUCCESS',
      ]);
    } finally {
      await temporal.close();
    }
  }, 90_000);
});
