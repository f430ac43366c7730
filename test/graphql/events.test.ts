// Typed events: every event type in one document, and text byte for byte.
import { afterEach, describe, expect, test } from 'vitest';
import { CATALOGUE, type EventData, type EventType, type NewEvent } from '../../src/event/events.ts';
import { type App, createApp, directLog, EVENT_STREAM, graphqlPath, TS } from '../support/app.ts';

let app: App;
afterEach(() => app?.close());

const FIELDS = `__typename type data
  ... on WorkflowStartEvent { workflowId workflowType runId }
  ... on WorkflowStatusEvent { status step usage { inputTokens outputTokens totalTokens model costUsd } }
  ... on AgentStartEvent { agentId action childId }
  ... on AgentStatusEvent { status step childId }
  ... on TaskStartEvent { taskId summary childId childKind }
  ... on TaskStatusEvent { status step taskId childId childKind taskAttempt nextAttemptAt progress progressOmitted progressBytes }
  ... on ToolCallEvent { toolCallId toolName status args result error durationMs }
  ... on LlmChunkEvent { content topic }
  ... on StructuredDeltaEvent { patch }
  ... on CustomEvent { name value valueOmitted valueBytes }
  ... on WarningEvent { code message }
  ... on ResetEvent { reason }
  ... on GapEvent { fromSeq toSeq text value }
  ... on ErrorEvent { status message code usage { totalTokens } durationMs }
  ... on CompleteEvent { status result resultOmitted usage { totalTokens } durationMs }`;

const USAGE = { inputTokens: 1, outputTokens: 2, totalTokens: 3 };
const EVERY: { [T in EventType]: EventData[T] } = {
  workflow_start: { workflowId: 'wf', workflowType: 'Digest', runId: 'r' },
  workflow_status: { status: 'WAITING', step: 'two', usage: { ...USAGE, model: 'm', costUsd: 0.5 } },
  agent_start: { agentId: 'a', action: 'write', executionId: 'child' },
  agent_status: { status: 'RUNNING', step: 's', executionId: 'child' },
  task_start: { taskId: 't', summary: 'Do it', executionId: 'child', executionKind: 'WORKFLOW' },
  task_status: {
    status: 'PAUSED',
    step: 's',
    taskId: 't',
    executionId: 'child',
    executionKind: 'WORKFLOW',
    taskAttempt: 2,
    nextAttemptAt: TS,
    progress: { page: 3 },
    progressOmitted: false,
    progressBytes: 0,
  },
  tool_call: {
    toolCallId: 'c',
    toolName: 'search',
    status: 'failed',
    args: { q: ['x'] },
    result: null,
    error: 'no',
    durationMs: 5,
  },
  llm_chunk: { content: ' white  space \r\n', topic: 'tokens' },
  structured_delta: { patch: [{ op: 'add', path: '', value: { a: [1, 'x', null] } }] },
  custom: { name: 'progress', value: { done: 0.5 }, valueOmitted: false, valueBytes: 12 },
  warning: { code: 'W', message: 'm' },
  reset: { reason: 'overflow' },
  gap: { fromSeq: 1, toSeq: 4, value: { a: 1 } },
  error: { status: 'TERMINATED', message: 'm', code: 'C', usage: USAGE, durationMs: 9 },
  complete: { status: 'SUCCESS', result: { ok: true }, resultOmitted: false, usage: USAGE, durationMs: 9 },
};

async function resultsOf(kind: string, id: string): Promise<Record<string, unknown>[]> {
  const query = `subscription { ${kind}Stream(id: "${id}") { ${FIELDS} } }`;
  const response = await app.request(graphqlPath(query), { headers: EVENT_STREAM });
  const messages = [...(await response.text()).matchAll(/event: next\ndata: ([^\n]*)\n/g)];
  return messages.map(([, json]) => {
    const { data, errors } = JSON.parse(json!);
    if (errors) throw new Error(json);
    return data[`${kind}Stream`];
  });
}

describe('one object type for each event type, with typed fields', () => {
  test.each(['workflow', 'agent', 'task'] as const)(
    'one document selects every field of every type: the stream of a %s',
    async (kind) => {
      app = createApp();
      const types = (Object.keys(EVERY) as EventType[]).filter(
        (type) => CATALOGUE[type].includes(kind) && type !== 'complete' && type !== 'error',
      );
      for (const end of ['complete', 'error'] as const) {
        const log = await directLog(app, {
          kind,
          id: end,
          mode: kind === 'workflow' ? 'STRUCTURED' : 'TEXT',
        });
        const events = [...types, end].map((type) => ({ type, ts: TS, data: EVERY[type] }) as NewEvent);
        await log.append(...events);
        const results = await resultsOf(kind, end);
        expect(results.map(({ type }) => type)).toEqual([...types, end].map((type) => type.toUpperCase()));
        for (const [i, { __typename, type: _, data, ...typed }] of results.entries()) {
          const expected = events[i]!.data as unknown as Record<string, unknown>;
          expect(data).toEqual(expected);
          const { executionId, executionKind, ...own } = expected;
          const child = { ...(executionId ? { childId: executionId } : {}), childKind: executionKind };
          for (const [field, value] of Object.entries({ ...own, ...child })) {
            if (field === 'usage') expect(typed[field]).toMatchObject({ totalTokens: 3 });
            else expect(typed[field]).toEqual(value);
          }
          expect(__typename).toBe(
            `${events[i]!.type.replace(/(?:^|_)(.)/g, (_, c: string) => c.toUpperCase())}Event`,
          );
        }
      }
    },
  );

  test('fields that an event omits are null', async () => {
    app = createApp();
    const log = await directLog(app);
    await log.append({
      type: 'tool_call',
      ts: TS,
      data: { toolCallId: 'c', toolName: 'n', status: 'started' },
    });
    await log.complete();
    expect(await resultsOf('agent', 'a1')).toEqual([
      expect.objectContaining({ args: null, result: null, error: null, durationMs: null }),
      expect.objectContaining({ resultOmitted: null, usage: null }),
    ]);
  });
});

const TEXT = [
  'CRLF\r\nlone CR\rLF\n\n\nblank lines\r\r\n\n',
  '  leading and trailing blanks \t \n ',
  'emoji 👩‍🚀🏳️‍🌈🇫🇷, CJK 漢字かな한국어, combining é, U+2028 \u2028, NUL-ish \u0001, BOM \ufeff',
  '"quotes" \\ backslash </script> data: id: 7\n: comment\nevent: complete\ndata: x\n\n',
  'the end \r',
].join('');

describe('the text joined from its chunks equals the stored result byte for byte', () => {
  test.each([
    ['in one piece', [TEXT]],
    ['one code unit at a time', TEXT.split('')],
    ['one character at a time', [...TEXT]],
    ['in pieces of 7', TEXT.match(/[\s\S]{1,7}/g)!],
    ['as 300 KiB, more than one event can hold', [TEXT.repeat(1_000)]],
  ])('text published %s equals the stored result', async (_, pieces) => {
    app = createApp();
    const run = await app.publisher.begin({ id: 'a1', kind: 'agent' });
    for (const piece of pieces) await run.text(piece);
    expect(await run.complete()).toBe(true);
    const stored = (await app.store.get('a1'))!.result as string;
    expect(stored).toBe(pieces.join(''));
    const chunks = (await resultsOf('agent', 'a1')).filter(({ type }) => type === 'LLM_CHUNK');
    const joined = chunks.map(({ content }) => content).join('');
    expect(Buffer.from(joined, 'utf16le').equals(Buffer.from(stored, 'utf16le'))).toBe(true);
    const response = await app.request('/graphql', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"query": "{ execution(kind: AGENT, id: \\"a1\\") { result } }"}',
    });
    expect(await response.json()).toEqual({ data: { execution: { result: stored } } });
  });
});
