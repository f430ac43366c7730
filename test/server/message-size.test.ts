// Large texts, values and results end to end, read by a client that rejects messages above 64 KiB, as Go's Scanner does.
import { describe, expect, test } from 'vitest';
import type { ExecutionEvent, ExecutionMode } from '../../src/event/events.ts';
import { type ExecutionState, initialState, reduce } from '../../src/event/state.ts';
import { DEFAULT_SERVER_LIMITS } from '../../src/server/limits.ts';
import { type ListeningApp, startApp } from '../support/app.ts';
import { openSse } from '../support/sse.ts';

const READER_BYTES = 64 * 1024;
const TEXT = 'á\n漢😀\r\n"\0'.repeat(100_000);
const RESULT = 'r'.repeat(200_000);
const VALUE = { rows: Array.from({ length: 3_000 }, (_, i) => ({ id: i, note: 'n'.repeat(80) })) };

const ENVELOPE = 'id seq type ts executionId attempt data';
const DOCUMENT = `subscription ($id: ID!) { agentStream(id: $id) { ${ENVELOPE}
  ... on LlmChunkEvent { content } ... on StructuredDeltaEvent { patch } ... on ToolCallEvent { args result }
  ... on CompleteEvent { result } } }`;

/** The messages of a stream that has ended, by their lines. */
async function messagesOf(url: string, body?: object): Promise<string[]> {
  using stream = await openSse(url, body ? { body } : {});
  await stream.ended();
  return stream.text.split('\n\n');
}

const sizeOf = (message: string): number => Buffer.byteLength(message) + 2;

/** The state that the stream of an execution adds up to, over REST and over GraphQL, and its largest message. */
async function read(app: ListeningApp, id: string, mode: ExecutionMode) {
  const rest = await messagesOf(`${app.url}/api/v0/executions/agents/${id}/stream`);
  const messages = await messagesOf(`${app.url}/graphql`, { query: DOCUMENT, variables: { id } });
  const events: ExecutionEvent[] = messages
    .filter((message) => message.includes('event: next'))
    .map((message) => JSON.parse(message.split('\ndata: ')[1]!).data.agentStream)
    .map((event) => ({ ...event, type: event.type.toLowerCase() }));
  const state = events.reduce<ExecutionState>(reduce, initialState('agent', mode));
  const chunks = rest.filter((message) => message.includes('event: llm_chunk'));
  const text = chunks.map((message) => message.split('\ndata: ').slice(1).join('\n')).join('');
  return { rest, text, state, largest: Math.max(...[...rest, ...messages].map(sizeOf)) };
}

/** Publishes an execution with a tool call, whose result is large. */
async function publishOverHttp(app: ListeningApp, id: string): Promise<void> {
  const path = `${app.url}/api/v0/executions/agents/${id}`;
  const json = { 'content-type': 'application/json' };
  const created = await fetch(path, { method: 'PUT', headers: json, body: '{"mode":"TEXT"}' });
  const { token } = (await created.json()) as { token: string };
  const events = [
    { type: 'tool_call', data: { ...call, result: RESULT } },
    { type: 'complete', data: { result: 'done' } },
  ];
  const headers = { ...json, 'publisher-token': token, 'idempotency-key': '1' };
  const posted = await fetch(`${path}/events`, { method: 'POST', headers, body: JSON.stringify({ events }) });
  expect(posted.status).toBe(200);
}

const call = { toolCallId: 't1', toolName: 'export', status: 'succeeded' } as const;
const omitted = { id: 't1', name: 'export', status: 'succeeded', resultOmitted: true, resultBytes: 200_002 };

describe('a client that rejects messages above 64 KiB', () => {
  test('reads a text of 1 MB completely, and the size of its omitted result', async () => {
    await using app = await startApp();
    const run = await app.publisher.begin({ kind: 'agent', id: 'a1' });
    await run.text(TEXT);
    await run.complete();
    const { text, state, largest } = await read(app, 'a1', 'TEXT');
    expect(largest).toBeLessThan(READER_BYTES);
    expect(largest).toBeLessThanOrEqual(DEFAULT_SERVER_LIMITS.messageBytes);
    expect(state.text).toBe(TEXT);
    // SSE delivers CR, LF and CRLF as LF.
    expect(text).toBe(TEXT.replaceAll('\r\n', '\n'));
    const resultBytes = Buffer.byteLength(JSON.stringify(TEXT));
    expect(state.end).toMatchObject({ resultOmitted: true, resultBytes });
  });

  test('reads a value of 300 KB completely', async () => {
    await using app = await startApp();
    const run = await app.publisher.begin({ kind: 'agent', id: 'a1', mode: 'STRUCTURED' });
    await run.value(VALUE);
    await run.complete();
    const { state, largest } = await read(app, 'a1', 'STRUCTURED');
    expect(JSON.stringify(VALUE).length).toBeGreaterThan(300_000);
    expect(largest).toBeLessThanOrEqual(DEFAULT_SERVER_LIMITS.messageBytes);
    expect(state.value).toEqual(VALUE);
  });

  test('reads the size of a tool result of 200 KB, published by the library or over HTTP', async () => {
    await using app = await startApp();
    const run = await app.publisher.begin({ kind: 'agent', id: 'a1' });
    await run.toolCall({ ...call, result: RESULT });
    await run.complete('done');
    await publishOverHttp(app, 'a2');
    for (const id of ['a1', 'a2']) {
      const { state, largest } = await read(app, id, 'TEXT');
      expect(largest).toBeLessThanOrEqual(DEFAULT_SERVER_LIMITS.messageBytes);
      expect(state.toolCalls).toEqual([omitted]);
      expect(state.end).toMatchObject({ status: 'SUCCESS', result: 'done' });
    }
  });
});

test('a raised limit keeps a tool result of 200 KB, published by the library or over HTTP', async () => {
  const messageBytes = 1024 * 1024;
  const serverLimits = { ...DEFAULT_SERVER_LIMITS, messageBytes };
  await using app = await startApp({ serverLimits, limits: { messageBytes } });
  const run = await app.publisher.begin({ kind: 'agent', id: 'a1' });
  await run.toolCall({ ...call, result: RESULT });
  await run.complete(RESULT);
  await publishOverHttp(app, 'a2');
  for (const id of ['a1', 'a2']) {
    const { state } = await read(app, id, 'TEXT');
    expect(state.toolCalls).toEqual([{ id: 't1', name: 'export', status: 'succeeded', result: RESULT }]);
    expect(state.end).toMatchObject({ result: id === 'a1' ? RESULT : 'done' });
  }
});

test('a server omits what a publisher with a raised limit has appended', async () => {
  await using app = await startApp({ limits: { messageBytes: 1024 * 1024 } });
  const run = await app.publisher.begin({ kind: 'agent', id: 'a1' });
  await run.toolCall({ ...call, result: RESULT });
  await run.complete(RESULT);
  const { state, largest } = await read(app, 'a1', 'TEXT');
  expect(largest).toBeLessThanOrEqual(DEFAULT_SERVER_LIMITS.messageBytes);
  expect(state.toolCalls).toEqual([omitted]);
  expect(state.end).toMatchObject({ resultOmitted: true, resultBytes: 200_002 });
});

test('the gap and the end of an execution whose log has expired are within the limit', async () => {
  await using app = await startApp();
  await app.store.begin({ id: 'a1', kind: 'agent', mode: 'TEXT', attempt: 1 });
  await app.store.finish('a1', 1, { status: 'SUCCESS', result: TEXT });
  await app.store.markEnd('a1', { epoch: 'abcdefghij12', seq: 9 });
  const { rest, state, largest } = await read(app, 'a1', 'TEXT');
  expect(largest).toBeLessThanOrEqual(DEFAULT_SERVER_LIMITS.messageBytes);
  expect(rest.find((message) => message.includes('event: gap'))).toContain('"textOmitted":true');
  expect(state).toMatchObject({ completeness: 'partial', end: { resultOmitted: true } });
});

test.each([
  ['a row whose log has expired', true],
  ['a row without a publisher', false],
])('a raised limit keeps the result of 200 KB in the end of %s', async (_, isExpired) => {
  const serverLimits = { ...DEFAULT_SERVER_LIMITS, messageBytes: 1024 * 1024 };
  await using app = await startApp({ serverLimits });
  await app.store.begin({ id: 'a1', kind: 'agent', mode: 'TEXT', attempt: 1 });
  await app.store.finish('a1', 1, { status: 'SUCCESS', result: RESULT });
  if (isExpired) await app.store.markEnd('a1', { epoch: 'abcdefghij12', seq: 9 });
  const { state } = await read(app, 'a1', 'TEXT');
  expect(state).toMatchObject({ text: RESULT, completeness: 'full', end: { result: RESULT } });
});
