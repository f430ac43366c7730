// One execution of each kind from its beginning to its end: what the examples of the document show. A test tells it
// to a server, and compares every answer.
import type { ExecutionKind } from '../../event/events.ts';

export interface Story {
  /** Body of `PUT …/{id}`. */
  readonly begin: object;
  /** Body of the first `POST …/{id}/events`. */
  readonly batch: object;
  /** Body of the second one. */
  readonly end: object;
  /** What the stream has told by then, from its start. */
  readonly stream: string;
  /** What the state has by then, of that which differs. */
  readonly state: object;
}

const STORY_ID = 'report-42';
export const STORY_EPOCH = 'k3f9ab01zzq4';
const RUN_ID = '6f8b1c9e-7a3d-4c52-9e0b-2d41f5a6c7b8';

const TEXT_BATCH = {
  events: [
    { type: 'llm_chunk', data: { content: 'Hello,' } },
    { type: 'llm_chunk', data: { content: ' world' } },
  ],
};
const USAGE = { inputTokens: 7, outputTokens: 3, totalTokens: 10 };
const TEXT_END = { events: [{ type: 'complete', data: { usage: USAGE } }] };
const TEXT_TOLD: readonly Told[] = [
  ['llm_chunk', 'Hello,'],
  ['llm_chunk', ' world'],
  ['complete', { status: 'SUCCESS', usage: USAGE, durationMs: 1234, result: 'Hello, world' }],
];

export const STORIES: { readonly [K in ExecutionKind]: Story } = {
  agent: {
    begin: { mode: 'TEXT', agentId: 'writer', action: 'write', name: 'Report' },
    batch: TEXT_BATCH,
    end: TEXT_END,
    stream: told([['agent_start', { agentId: 'writer', action: 'write' }], ...TEXT_TOLD]),
    state: state('AGENT', { mode: 'TEXT', name: 'Report', result: 'Hello, world', usage: used() }),
  },
  task: {
    begin: { mode: 'TEXT', taskId: 'summary', name: 'Summary' },
    batch: TEXT_BATCH,
    end: TEXT_END,
    stream: told([['task_start', { taskId: 'summary' }], ...TEXT_TOLD]),
    state: state('TASK', { mode: 'TEXT', name: 'Summary', result: 'Hello, world', usage: used() }),
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
    stream: told([
      ['workflow_start', { workflowId: STORY_ID, workflowType: 'nightly', runId: RUN_ID }],
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

type Told = readonly [type: string, data: string | object];

function told(messages: readonly Told[]): string {
  const frames = messages.map(([type, data], i) => {
    const text = typeof data === 'string' ? data : JSON.stringify(data);
    return `id: ${i + 1}-${STORY_EPOCH}\nevent: ${type}\ndata: ${text}\n\n`;
  });
  return `retry: 1000\n:\n\n${frames.join('')}`;
}

function used(): object {
  return { ...USAGE, model: null, costUsd: null };
}

function state(kind: string, fields: object): object {
  return {
    id: STORY_ID,
    kind,
    status: 'SUCCESS',
    attempt: 1,
    parent: null,
    children: [],
    childrenCursor: null,
    workflowId: null,
    runId: null,
    input: null,
    resultOmitted: false,
    error: null,
    usage: null,
    startedAt: '2026-11-22T09:30:00.000Z',
    finishedAt: '2026-11-22T09:30:01.234Z',
    durationMs: 1234,
    lastCursor: `4-${STORY_EPOCH}`,
    ...fields,
  };
}
