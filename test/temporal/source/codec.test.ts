// Workflows whose worker encrypts every payload and the messages of failures, on a real server.
import { Client } from '@temporalio/client';
import { expect, test } from 'vitest';
import { decodePlainJson } from '../../../src/temporal/shared/payloads.ts';
import { createRedactingDecoder } from '../../../src/temporal/source/payload-decoder.ts';
import { describeTemporal, useTemporal } from '../../support/temporal.ts';
import { until } from '../../support/wait.ts';
import { startWorker, uniqueId } from '../rig.ts';
import { encryption, startCodecServer } from './codec-server.ts';
import { linesOf, startForeignWorker, startWatching, waitForLine, watchRest } from './rig.ts';

const dataConverter = {
  payloadCodecs: [encryption],
  failureConverterPath: new URL('./encoding-failures.ts', import.meta.url).pathname,
};

describeTemporal('a workflow under a codec', () => {
  const temporal = useTemporal();
  const launch = (taskQueue: string, name: string, args: unknown[]) =>
    new Client({ connection: temporal.client.connection, dataConverter }).workflow.start(name, {
      taskQueue,
      workflowId: uniqueId(name),
      staticSummary: `the summary of ${name}`,
      args,
    });

  test('streams itself through the codec server, without a plugin', async () => {
    await using server = await startCodecServer();
    await using watching = await startWatching(temporal.address, { codecUrl: server.url });
    await using worker = await startWorker(temporal, { dataConverter });
    const handle = await launch(worker.taskQueue, 'onSignal', [1]);
    using stream = await watchRest(watching.url, handle.workflowId);
    await handle.signal('go');
    await stream.ended(15_000);
    expect(linesOf(stream)).toEqual([
      '1 workflow_start',
      '2 workflow_status RUNNING signal 1',
      '3 complete SUCCESS',
    ]);
  });

  test('is shown by its history, with a warning, if its stream cannot be decoded', async () => {
    await using watching = await startWatching(temporal.address, { workflows: { queryGraceMs: 250 } });
    await using worker = await startWorker(temporal, { dataConverter });
    const handle = await launch(worker.taskQueue, 'onSignal', [2]);
    using stream = await watchRest(watching.url, handle.workflowId);
    await waitForLine(stream, 'UNDECODABLE');
    await handle.signal('go');
    await waitForLine(stream, 'signal go');
  });

  test('shows inputs, results and messages of failures, if payloads are shown', async () => {
    await using server = await startCodecServer();
    const workflows = { decodePayload: createRedactingDecoder() };
    await using watching = await startWatching(temporal.address, { codecUrl: server.url, workflows });
    await using worker = await startForeignWorker(temporal, undefined, { dataConverter });
    const secret = `sk-proj-${'a1B2'.repeat(12)}`;
    const handle = await launch(worker.taskQueue, 'order', [`key ${secret} of Ann`]);
    const id = handle.workflowId;
    using stream = await watchRest(watching.url, id);
    await waitForLine(stream, 'workflow_start');
    await handle.signal('go');
    await stream.ended(15_000);
    expect(linesOf(stream).join('\n')).toMatch(/FAILED page not found/);
    expect(stream.text).not.toMatch(/Encoded failure|sk-proj/);
    const [scheduled] = stream.frames.filter(({ event }) => event === 'task_start');
    expect(JSON.parse(scheduled!.data)).toMatchObject({ input: 'https://example.com/secret' });
    expect(JSON.parse(stream.frames.at(-1)!.data)).toMatchObject({
      result: { secret: 'key [redacted] of Ann' },
    });
    const row = await until(async () => (await watching.store.get(id))?.end && watching.store.get(id));
    expect(row).toMatchObject({
      name: 'the summary of order',
      input: 'key [redacted] of Ann',
      result: { secret: 'key [redacted] of Ann' },
    });
  });

  test('ends without a result if the codec server fails then', async () => {
    await using server = await startCodecServer();
    const workflows = { decodePayload: decodePlainJson };
    await using watching = await startWatching(temporal.address, { codecUrl: server.url, workflows });
    await using worker = await startForeignWorker(temporal, undefined, { dataConverter });
    const handle = await launch(worker.taskQueue, 'lapper', [1]);
    using stream = await watchRest(watching.url, handle.workflowId);
    await waitForLine(stream, 'workflow_start');
    server.failure = { status: 503, body: '' };
    await handle.signal('go');
    await stream.ended(15_000);
    const end = JSON.parse(stream.frames.at(-1)!.data);
    expect(end).toMatchObject({ status: 'SUCCESS', resultOmitted: true });
    expect(end).not.toHaveProperty('result');
  });
});
