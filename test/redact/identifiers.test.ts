// Redaction never changes an identifier, whatever it looks like: in the log, the row, the state, lists and log lines, by
// every way that an identifier takes: the publishing library, publishing over HTTP, rows, and Temporal's history.
import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { EventType, ExecutionKind } from '../../src/event/events.ts';
import { createPublisher } from '../../src/publish/publisher.ts';
import { createHistoryMapper } from '../../src/temporal/source/history-events.ts';
import { createRecorder } from '../publish/rig.ts';
import { type App, graphqlPath, type ListeningApp, range, startApp } from '../support/app.ts';
import { createMemoryStore } from '../support/memory-store.ts';
import { openSse } from '../support/sse.ts';

/** Identifiers that contain or begin with what a key does. All but the last two are execution ids too. */
const IDS = [
  'desk-01J9Z3K5V8QW2E4R6T8Y0V1M3P',
  'risk-550e8400-e29b-41d4-a716-446655440000',
  `sk-${'a1B2'.repeat(12)}`,
  `AKIA${'IOSFODNN7EXAMPLE'}`,
  `ghp_${'a1B2c3'.repeat(6)}`,
  `xoxb-${'123456789012'}-abcdef`,
  `eyJ${'hbGciOiJIUzI1NiJ9'}.${'eyJzdWIiOiIxIn0'}.abc`,
  `db://app:${'hunter2'}@host/orders`,
];
const TOOL_IDS = [...IDS, `Bearer ${'a1B2c3'.repeat(4)}`, 'order-12345678'];
const redact = { literals: ['desk-01J9'], patterns: [{ pattern: /order-\d{8}/, maxLength: 14 }] };

const start = (kind: ExecutionKind, id: string) => ({ id, kind, attempt: 1 }) as const;

/** The data of each event with identifiers that an execution of a kind publishes, apart from its start. */
function eventsWith(kind: ExecutionKind, id: string, toolId: string) {
  const child = { executionId: id };
  const tool = { toolCallId: toolId, toolName: toolId, status: 'started' };
  const events: [EventType, object][] = [['tool_call', tool]];
  if (kind === 'workflow') {
    events.push(['workflow_start', { workflowId: id, workflowType: id, runId: id }]);
    events.push(['agent_start', { agentId: id, ...child }], ['task_start', { taskId: id, ...child }]);
    events.push(['task_status', { status: 'RUNNING', taskId: id, ...child }]);
  }
  if (kind !== 'task') events.push(['agent_status', { status: 'RUNNING', ...child }]);
  if (kind === 'agent') events.push(['agent_start', { agentId: toolId, ...child }]);
  if (kind === 'task') events.push(['task_start', { taskId: toolId, ...child }]);
  return events;
}

const startData = (kind: ExecutionKind, id: string) =>
  ({
    workflow: { workflowId: id, workflowType: id, runId: id },
    agent: { agentId: id },
    task: { taskId: id },
  })[kind];

async function dataOf(app: App, id: string) {
  return (await app.log.read(id, 0, 1_000))!.events.map(({ type, data }) => [type, data]);
}

/** Expects the ids in the state, over REST and GraphQL, in the list, and in the streams. */
async function expectIds(app: ListeningApp, kind: ExecutionKind, id: string, parentId: string) {
  const path = `${app.url}/api/v0/executions/${kind}s/${encodeURIComponent(id)}`;
  const state = (await (await fetch(path)).json()) as object;
  const own = kind === 'workflow' ? { workflowId: id, runId: id } : {};
  expect(state).toMatchObject({ id, parent: parentId, ...own });
  const list =
    '{ executions(first: 100) { edges { node { id parent { id } children { edges { node { id } } } } } } }';
  const listed = await (await fetch(app.url + graphqlPath(list))).text();
  expect(listed).toContain(`{"node":{"id":${JSON.stringify(id)},"parent":{"id":${JSON.stringify(parentId)}}`);
  using stream = await openSse(`${path}/stream?data=json`);
  await stream.ended();
  expect(stream.frames.map(({ event, data }) => [event, JSON.parse(data)]).slice(0, -1)).toEqual(
    (await dataOf(app, id)).slice(0, -1),
  );
  expect(listed + stream.text + JSON.stringify(state)).not.toContain('[redacted]');
}

const KINDS: ExecutionKind[] = ['workflow', 'agent', 'task'];
const cases = KINDS.flatMap((kind) => IDS.map((id) => [kind, id] as const));

describe.each(cases)('the identifiers of a %s', (kind, id) => {
  const parentId = `parent/${id}`;
  const fields = { ...start(kind, id), parentId, ...(kind === 'workflow' && { workflowId: id, runId: id }) };
  const ids = kind === 'workflow' ? { workflowType: id } : {};

  test('stay when the library publishes them', async () => {
    await using app = await startApp();
    const publisher = createPublisher({ log: app.log, store: app.store, redact });
    await app.publisher.begin({ kind: 'workflow', id: parentId });
    const run = await publisher.begin({ ...fields, ...ids });
    const events = TOOL_IDS.flatMap((toolId) => eventsWith(kind, id, toolId));
    for (const [type, data] of events) await run.emit(type as 'tool_call', data as never);
    await run.complete();
    expect(run.stats.redacted).toEqual({});
    const published = [[`${kind}_start`, startData(kind, id)], ...events];
    expect((await dataOf(app, id)).slice(0, -1)).toEqual(published);
    await publisher.close();
    await expectIds(app, kind, id, parentId);
  });

  test('stay when they are published over HTTP', async () => {
    await using app = await startApp();
    await app.publisher.begin({ kind: 'workflow', id: parentId });
    const path = `${app.url}/api/v0/executions/${kind}s/${encodeURIComponent(id)}`;
    const put = { mode: kind === 'workflow' ? 'STRUCTURED' : 'TEXT', parentId };
    const response = await fetch(path, { method: 'PUT', body: JSON.stringify(put) });
    expect(response.status).toBe(201);
    const { token } = (await response.json()) as { token: string };
    const events = TOOL_IDS.flatMap((toolId) => eventsWith(kind, id, toolId));
    const body = { events: [...events, ['complete', {}]].map(([type, data]) => ({ type, data })) };
    const appended = await fetch(`${path}/events`, {
      method: 'POST',
      headers: { 'Publisher-Token': token, 'Idempotency-Key': randomUUID() },
      body: JSON.stringify(body),
    });
    expect(appended.status).toBe(200);
    const data = await dataOf(app, id);
    const begin = { ...startData(kind, id), ...(kind === 'workflow' && { runId: expect.any(String) }) };
    expect(data.slice(0, -1)).toEqual([[`${kind}_start`, begin], ...events]);
    if (kind !== 'workflow') await expectIds(app, kind, id, parentId);
  });
});

test.each(KINDS)('the identifiers of a %s stay when they are read from its row', async (kind) => {
  await using app = await startApp({ rowSource: { publishedMs: 0 } });
  const mode = kind === 'workflow' ? 'STRUCTURED' : 'TEXT';
  const readRow = async (id: string): Promise<void> => {
    const parentId = `parent/${id}`;
    await app.store.begin({ id: parentId, kind: 'workflow', mode: 'STRUCTURED' });
    const ids = { id, parentId, ...(kind === 'workflow' && { workflowId: id, runId: id }) };
    await app.store.begin({ ...ids, kind, mode });
    const path = `/api/v0/executions/${kind}s/${encodeURIComponent(id)}`;
    using stream = await openSse(`${app.url}${path}/stream?poll_ms=250`);
    await stream.until(() => stream.frames.length === 1, 'the start');
    await app.store.finish(id, 1, { status: 'SUCCESS', result: 'done' });
    await stream.ended();
    await expectIds(app, kind, id, parentId);
    const [type, data] = (await dataOf(app, id))[0]!;
    const { workflowType, ...start } = startData(kind, id) as { workflowType?: string };
    expect([type, data]).toMatchObject([`${kind}_start`, start]);
  };
  await Promise.all(IDS.map(readRow));
});

test.each(IDS)('the identifier %s stays when it is read from the history of a workflow', (id) => {
  const map = createHistoryMapper({ workflowId: id, runId: id } as never, false);
  const attributes = { workflowId: id, workflowType: { name: id } };
  const initiated = { eventId: 5, startChildWorkflowExecutionInitiatedEventAttributes: attributes };
  const activity = { activityType: { name: id }, activityId: id };
  expect(map({ eventId: 2, activityTaskScheduledEventAttributes: activity } as never)).toEqual({
    type: 'task_start',
    data: { taskId: `${id}#${id}` },
  });
  const started = { initiatedEventId: 5, workflowExecution: { workflowId: id } };
  const data = { taskId: expect.stringContaining(id) };
  expect(map(initiated as never)).toMatchObject({ data });
  expect(map({ eventId: 6, childWorkflowExecutionStartedEventAttributes: started } as never)).toMatchObject({
    data: { ...data, executionId: id },
  });
});

test.each(IDS)('the identifier %s stays in log lines, whose messages are redacted', async (id) => {
  const [store, logger] = [createMemoryStore(), createRecorder()];
  await using app = await startApp({ store });
  const limits = { beginMs: 50, endMs: 50, closeMs: 50, callMs: 20 };
  const publisher = createPublisher({ log: app.log, store, logger, limits, redact });
  store.isAway = true;
  const run = await publisher.begin({ kind: 'agent', id });
  void run.complete();
  await publisher.close();
  expect(logger.lines.length).toBeGreaterThan(0);
  for (const { fields } of logger.lines) expect(fields).toMatchObject({ executionId: id });
});

test('an identifier that defaults to the name gets the redacted name', async () => {
  await using app = await startApp();
  for (const [n, kind] of KINDS.entries()) {
    const run = await app.publisher.begin({ kind, id: `a${n}`, name: `for ${IDS[2]}` });
    await run.abandon(new Error('x'));
    const text = JSON.stringify(await dataOf(app, `a${n}`));
    expect(text).toContain('for [redacted]');
    expect(text).not.toContain(IDS[2]);
  }
});

test('keys and values of arguments, results and structured values are words of a text: names stay, keys are replaced', async () => {
  await using app = await startApp();
  const [desk, key] = [IDS[0]!, IDS[2]!];
  const value = { [desk]: [desk], [`/${desk}`]: { owner: `see ${desk}` }, secret: key, [key]: 1 };
  const { [key]: _, ...rest } = value;
  const redacted = { ...rest, secret: '[redacted]', '[redacted]': 1 };
  const run = await app.publisher.begin({ kind: 'task', id: 't', mode: 'STRUCTURED', input: value });
  await run.toolCall({ toolCallId: 'c', toolName: 'n', status: 'succeeded', args: value, result: value });
  await run.value(value);
  await run.complete();
  const state = await (await fetch(`${app.url}/api/v0/executions/tasks/t`)).json();
  expect(state).toMatchObject({ input: redacted, result: redacted });
  const data = await dataOf(app, 't');
  expect(data[1]).toMatchObject(['tool_call', { args: redacted, result: redacted }]);
  expect(range(0, data.length - 1).filter((i) => JSON.stringify(data[i]).includes(key))).toEqual([]);
});
