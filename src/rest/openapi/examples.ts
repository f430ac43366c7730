// The examples of the document: one execution of each kind from start to end. A test publishes them to a server and
// compares every response.
import type { ExecutionKind } from '../../event/events.ts';

export interface Example {
  /** Body of `PUT …/{id}`. */
  readonly begin: object;
  /** Body of the first `POST …/{id}/events`. */
  readonly batch: object;
  /** Body of the second one. */
  readonly end: object;
  /** The complete stream after that. */
  readonly stream: string;
  /** The state after that. */
  readonly state: object;
}

const EXAMPLE_ID = 'report-42';
export const EXAMPLE_EPOCH = 'k3f9ab01zzq4';
const RUN_ID = '6f8b1c9e-7a3d-4c52-9e0b-2d41f5a6c7b8';

const TEXT_BATCH = {
  events: [
    { type: 'llm_chunk', data: { content: 'Hello,' } },
    { type: 'llm_chunk', data: { content: ' world' } },
  ],
};
const USAGE = { inputTokens: 7, outputTokens: 3, totalTokens: 10 };
const TEXT_END = { events: [{ type: 'complete', data: { usage: USAGE } }] };
const TEXT_MESSAGES: readonly Message[] = [
  ['llm_chunk', 'Hello,'],
  ['llm_chunk', ' world'],
  ['complete', { status: 'SUCCESS', usage: USAGE, durationMs: 1234, result: 'Hello, world' }],
];

export const EXAMPLES: { readonly [K in ExecutionKind]: Example } = {
  agent: {
    begin: { mode: 'TEXT', agentId: 'writer', action: 'write', name: 'Report' },
    batch: TEXT_BATCH,
    end: TEXT_END,
    stream: streamOf([['agent_start', { agentId: 'writer', action: 'write' }], ...TEXT_MESSAGES]),
    state: state('AGENT', { mode: 'TEXT', name: 'Report', result: 'Hello, world', usage: stateUsage() }),
  },
  task: {
    begin: { mode: 'TEXT', taskId: 'summary', name: 'Summary' },
    batch: TEXT_BATCH,
    end: TEXT_END,
    stream: streamOf([['task_start', { taskId: 'summary' }], ...TEXT_MESSAGES]),
    state: state('TASK', { mode: 'TEXT', name: 'Summary', result: 'Hello, world', usage: stateUsage() }),
  },
  workflow: {
    begin: { mode: 'STRUCTURED', name: 'nightly', input: { folder: 'docs' } },
    batch: {
      events: [
        { type: 'workflow_status', data: { status: 'RUNNING', step: 'read' } },
        { type: 'agent_start', data: { agentId: 'writer', executionId: 'report-42-writer' } },
      ],
    },
    end: { events: [{ type: 'complete', data: { result: { files: 4 } } }] },
    stream: streamOf([
      ['workflow_start', { workflowId: EXAMPLE_ID, workflowType: 'nightly', runId: RUN_ID }],
      ['workflow_status', { status: 'RUNNING', step: 'read' }],
      ['agent_start', { agentId: 'writer', executionId: 'report-42-writer' }],
      ['complete', { status: 'SUCCESS', durationMs: 1234, result: { files: 4 } }],
    ]),
    state: state('WORKFLOW', {
      mode: 'STRUCTURED',
      name: 'nightly',
      input: { folder: 'docs' },
      result: { files: 4 },
    }),
  },
};

type Message = readonly [type: string, data: string | object];

function streamOf(messages: readonly Message[]): string {
  const frames = messages.map(([type, data], i) => {
    const text = typeof data === 'string' ? data : JSON.stringify(data);
    return `id: ${i + 1}-${EXAMPLE_EPOCH}\nevent: ${type}\ndata: ${text}\n\n`;
  });
  return `retry: 1000\n:\n\n${frames.join('')}`;
}

function stateUsage(): object {
  return { ...USAGE, model: null, costUsd: null };
}

function state(kind: string, fields: object): object {
  return {
    id: EXAMPLE_ID,
    kind,
    status: 'SUCCESS',
    attempt: 1,
    parent: null,
    children: [],
    childrenCursor: null,
    childrenCount: 0,
    workflowId: null,
    runId: null,
    runs: null,
    runsCursor: null,
    input: null,
    resultOmitted: false,
    error: null,
    usage: null,
    startedAt: '2026-11-22T09:30:00.000Z',
    finishedAt: '2026-11-22T09:30:01.234Z',
    durationMs: 1234,
    lastCursor: `4-${EXAMPLE_EPOCH}`,
    ...fields,
  };
}
