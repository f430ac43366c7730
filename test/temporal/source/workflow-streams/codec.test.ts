// Workflow Streams whose publishers encrypt their signals.
import { Client } from '@temporalio/client';
import { expect, test } from 'vitest';
import { describeTemporal, useTemporal } from '../../../support/temporal.ts';
import { uniqueId } from '../../rig.ts';
import { encryption, startCodecServer } from '../codec-server.ts';
import { startWatching } from '../rig.ts';
import { publishText, shownIn, textOf, watchItems } from './streams-rig.ts';

const GRACE = { workflows: { queryGraceMs: 100 } };

describeTemporal('items of a Workflow Stream under a codec', () => {
  const temporal = useTemporal();

  /** A workflow that no worker runs: its items are in the signals. */
  const launch = () => {
    const dataConverter = { payloadCodecs: [encryption] };
    const { workflow } = new Client({ connection: temporal.client.connection, dataConverter });
    return workflow.start('hub', { taskQueue: uniqueId('nobody'), workflowId: uniqueId('hub') });
  };

  test('are decoded by the codec server, and wait for it while it fails', async () => {
    await using server = await startCodecServer();
    await using watching = await startWatching(temporal.address, { ...GRACE, codecUrl: server.url });
    const handle = await launch();
    await publishText(handle, 'one ', 'p', 1);
    using stream = await watchItems(watching.url, handle.workflowId);
    await stream.until(() => textOf(stream, 'tokens') === 'one ', 'the first item');
    server.failure = { status: 500, body: 'down' };
    await publishText(handle, 'two ', 'p', 2);
    await stream.until(
      () => shownIn(stream).some((line) => line.includes('UNDECODABLE')),
      'a warning',
      15_000,
    );
    server.failure = undefined;
    await stream.until(() => textOf(stream, 'tokens') === 'one two ', 'the second item', 15_000);
    await handle.terminate('done');
    await stream.ended(15_000);
    expect(textOf(stream, 'tokens')).toBe('one two ');
  }, 60_000);

  test('are not shown without a codec server: one warning, and everything else of the history', async () => {
    await using watching = await startWatching(temporal.address, GRACE);
    const handle = await launch();
    await publishText(handle, 'one ', 'p', 1);
    await publishText(handle, 'two ', 'p', 2);
    await handle.signal('go');
    using stream = await watchItems(watching.url, handle.workflowId);
    await handle.terminate('done');
    await stream.ended(15_000);
    expect(shownIn(stream)).toEqual([
      'workflow_start',
      'warning UNDECODABLE',
      'workflow_status RUNNING signal go',
      'error TERMINATED',
    ]);
  }, 60_000);
});
