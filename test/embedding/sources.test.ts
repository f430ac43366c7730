// The option `sources`: workflows of a Temporal to which the application is connected, and sources that are switched off.
import { Client } from '@temporalio/client';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  createExecstream,
  createMemoryLog,
  type Execstream,
  type ExecstreamOptions,
} from '../../src/index.ts';
import { decodePlainJson } from '../../src/temporal/shared/payloads.ts';
import { collect } from '../support/app.ts';
import { createMemoryStore } from '../support/memory-store.ts';
import { describeTemporal, useTemporal } from '../support/temporal.ts';
import { startWorker, uniqueId } from '../temporal/rig.ts';
import { encryption, startCodecServer } from '../temporal/source/codec-server.ts';
import { createNamespace, startForeignWorker } from '../temporal/source/rig.ts';

let execstream: Execstream;
afterEach(() => execstream?.close({ drainMs: 0 }));

function create(options: Partial<ExecstreamOptions>): Execstream {
  execstream = createExecstream({
    ...{ log: createMemoryLog(), store: createMemoryStore(), logger: { error: () => {} } },
    workflows: { activitiesMs: 0, queryGraceMs: 250 },
    ...options,
  });
  return execstream;
}

const get = (path: string) => execstream.fetch(new Request(`http://localhost/api/v0/executions${path}`));
const readStream = async (id: string) => (await get(`/workflows/${encodeURIComponent(id)}/stream`)).text();

describeTemporal('a client of the application', () => {
  const temporal = useTemporal();
  const dataConverter = {
    payloadCodecs: [encryption],
    failureConverterPath: new URL('../temporal/source/encoding-failures.ts', import.meta.url).pathname,
  };

  test('its namespace, data converter and codec show a workflow, and its connection stays open', async () => {
    const { connection, options } = await createNamespace(temporal);
    const client = new Client({ connection, namespace: options.namespace, dataConverter });
    await using worker = await startForeignWorker(temporal, undefined, {
      namespace: options.namespace,
      dataConverter,
    });
    const workflows = { decodePayload: decodePlainJson, activitiesMs: 0, queryGraceMs: 250 };
    create({ sources: { temporal: { client } }, workflows });
    const workflowId = uniqueId('order');
    const handle = await client.workflow.start('order', {
      ...{ taskQueue: worker.taskQueue, workflowId, args: ['Ann'] },
    });
    const reading = readStream(workflowId);
    await handle.signal('go');
    const text = await reading;
    expect(text).toContain('page not found');
    expect(text).not.toContain('Encoded failure');
    expect(text).toContain('"input":"https://example.com/secret"');
    expect(text).toMatch(/event: complete\ndata: .*"result":\{"secret":"Ann"\}/);
    await execstream.close({ drainMs: 0 });
    expect((await handle.describe()).status.name).toBe('COMPLETED');
  });

  test('results of the query are decoded by the data converter of the client', async () => {
    const client = new Client({ connection: temporal.client.connection, dataConverter });
    await using worker = await startWorker(temporal, { dataConverter });
    create({ sources: { temporal: { client } } });
    const workflowId = uniqueId('signal');
    const handle = await client.workflow.start('onSignal', {
      ...{ taskQueue: worker.taskQueue, workflowId, args: [1] },
    });
    const reading = readStream(workflowId);
    await handle.signal('go');
    expect(await reading).toMatch(/event: workflow_status\ndata: .*"signal 1"/);
  });

  test('a codec server is used in addition to the client', async () => {
    await using codecServer = await startCodecServer();
    await using worker = await startWorker(temporal, { dataConverter });
    const codec = { endpoint: codecServer.url, headers: {} };
    create({ sources: { temporal: { client: temporal.client, codec } } });
    const workflowId = uniqueId('signal');
    const client = new Client({ connection: temporal.client.connection, dataConverter });
    const handle = await client.workflow.start('onSignal', {
      ...{ taskQueue: worker.taskQueue, workflowId, args: [1] },
    });
    const reading = readStream(workflowId);
    await handle.signal('go');
    expect(await reading).toMatch(/event: workflow_status\ndata: .*"signal 1"/);
  });

  test('the connection of a worker serves as well, and so does an address', async () => {
    await using worker = await startWorker(temporal);
    const native = new Client({ connection: temporal.native });
    for (const source of [{ client: native }, { address: temporal.address, namespace: 'default' }]) {
      create({ sources: { temporal: source } });
      const workflowId = uniqueId('signal');
      const handle = await temporal.client.workflow.start('onSignal', {
        ...{ taskQueue: worker.taskQueue, workflowId, args: [1] },
      });
      const reading = readStream(workflowId);
      await handle.signal('go');
      expect(await reading).toContain('event: complete');
      await execstream.close({ drainMs: 0 });
    }
    // The worker's connection is still open.
    expect(await native.workflow.count()).toMatchObject({ count: expect.any(Number) });
  });

  test('with `temporal: false`, its workflows are unknown', async () => {
    await using worker = await startWorker(temporal);
    const workflowId = uniqueId('signal');
    const { workflow } = temporal.client;
    const handle = await workflow.start('onSignal', { taskQueue: worker.taskQueue, workflowId, args: [1] });
    create({ sources: { temporal: false } });
    expect((await get(`/workflows/${workflowId}`)).status).toBe(404);
    await handle.terminate();
  });
});

describe('rows', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test.each([
    [undefined, ['agent_start', 'complete']],
    [true, ['agent_start', 'complete']],
    // Its end is noticed later, and the missing events are copied then.
    [false, []],
  ])('with `rows: %s`, a row without a publisher is copied within 5 s as %o', async (rows, copied) => {
    const [log, store] = [createMemoryLog(), createMemoryStore()];
    await store.begin({ id: 'a1', kind: 'agent', mode: 'TEXT' });
    create({ log, store, sources: { rows } });
    const stream = collect(await get('/agents/a1/stream?poll_ms=250'));
    await vi.advanceTimersByTimeAsync(2_500);
    await store.finish('a1', 1, { status: 'SUCCESS', result: 'done' });
    await vi.advanceTimersByTimeAsync(2_500);
    const types = () =>
      [...stream.text.matchAll(/^event: (agent_start|complete)$/gm)].map(([, type]) => type);
    expect(types()).toEqual(copied);
    await vi.advanceTimersByTimeAsync(30_000);
    expect(types().at(-1)).toBe('complete');
    expect(stream.text).toContain('"result":"done"');
    await stream.cancel();
  });
});

describe('a wrong `sources.temporal`', () => {
  const client = { connection: {}, options: { namespace: 'default' } };
  test.each([
    ['a client that is not in { client }', client],
    ['a client without a connection', { client: { options: {} } }],
    ['nothing to connect to', { namespace: 'default' }],
    ['an address without a namespace', { address: 'localhost:7233' }],
    ['an empty object', {}],
  ])('%s is a CONFIG error that names the option', (_, temporal) => {
    const options = { log: createMemoryLog(), store: createMemoryStore() };
    expect(() => createExecstream({ ...options, sources: { temporal: temporal as never } })).toThrow(
      expect.objectContaining({
        code: 'CONFIG',
        message: expect.stringMatching(/^sources\.temporal: expected/),
      }),
    );
  });
});
