// Random, legal sequences of events as one viewer receives them: for all kinds and modes, with resets, gaps with and
// without content, new epochs, replays, lost prefixes, patches that do not apply, and repeated events.
import fc from 'fast-check';
import {
  CATALOGUE,
  type EventType,
  type ExecutionEvent,
  type ExecutionKind,
  type ExecutionMode,
  type JsonValue,
  type PatchOperation,
} from '../../src/event/events.ts';
import { deepFreeze } from './deep-freeze.ts';

export interface EventSequence {
  readonly kind: ExecutionKind;
  readonly mode: ExecutionMode;
  /** Frozen, so that a reducer that changes its input fails. */
  readonly events: readonly ExecutionEvent[];
}

export const EXECUTION_ID = 'x1';
const TS = '2026-01-01T00:00:00.000Z';

type EventContent = { type: EventType; data: object };

const text = fc.constantFrom('a', ' ', 'b\r\n', 'é🌊', 'x'.repeat(50));
const json = fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<JsonValue>;
const usage = fc.record({ inputTokens: fc.nat(9), outputTokens: fc.nat(9), totalTokens: fc.nat(18) });
const status = fc.constantFrom('PENDING', 'RUNNING', 'WAITING', 'PAUSED');
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });

const operation: fc.Arbitrary<PatchOperation> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ op: fc.constant('add' as const), path: path(), value: json }) },
  {
    weight: 3,
    arbitrary: fc.constantFrom<PatchOperation>(
      { op: 'add', path: '', value: { a: [], b: {} } },
      { op: 'replace', path: '', value: [1, { a: 2 }] },
    ),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('replace' as const), path: path(), value: json }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constantFrom('remove' as const), path: path() }) },
  {
    weight: 1,
    arbitrary: fc.record({
      op: fc.constantFrom('move' as const, 'copy' as const),
      from: path(),
      path: path(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('test' as const), path: path(), value: json }) },
);

function path(): fc.Arbitrary<string> {
  return fc.constantFrom('', '/a', '/b', '/a/0', '/a/-', '/b/c', '/b/c/d', '/0', '/1/a', '/none/x');
}

const child = fc.constantFrom('c1', 'c2', 'c3', EXECUTION_ID);

/** The data of each type; not filtered by kind. */
const CONTENT: fc.Arbitrary<EventContent>[] = [
  content('llm_chunk', { content: text }, 4),
  content('structured_delta', { patch: fc.array(operation, { minLength: 1, maxLength: 4 }) }, 4),
  content('workflow_start', { workflowId: text, workflowType: text, runId: text }),
  content('workflow_status', { status, step: optional(text), usage: optional(usage) }),
  content('agent_start', { agentId: text, action: optional(text), executionId: optional(child) }),
  content('agent_status', { status, step: optional(text), executionId: optional(child) }),
  content('task_start', { taskId: text, executionId: optional(child) }),
  content('task_status', {
    status,
    step: optional(text),
    taskId: optional(text),
    executionId: optional(child),
    taskAttempt: optional(fc.constantFrom(1, 2)),
    nextAttemptAt: optional(fc.constant(TS)),
    progress: optional(json),
    progressOmitted: optional(fc.boolean()),
  }),
  content('tool_call', {
    toolCallId: fc.constantFrom('t1', 't2', 't3'),
    toolName: text,
    status: fc.constantFrom('started', 'succeeded', 'failed'),
    args: optional(json),
    result: optional(json),
    error: optional(text),
    durationMs: optional(fc.nat(9)),
  }),
  content('custom', { name: text, value: optional(json) }),
  content('warning', { code: fc.constantFrom('PREFIX_LOST', 'OTHER'), message: text }),
  content('reset', { reason: fc.constantFrom('attempt', 'overflow') }),
].flat();

function content(
  type: EventType,
  data: Record<string, fc.Arbitrary<unknown>>,
  weight = 1,
): fc.Arbitrary<EventContent>[] {
  const arbitrary = fc
    .record(data)
    .map((fields) => ({ type, data: JSON.parse(JSON.stringify(fields)) as object }));
  return Array.from({ length: weight }, () => arbitrary);
}

type Step =
  | { readonly does: 'append'; readonly event: EventContent }
  | {
      readonly does: 'gap';
      readonly size: number;
      readonly content: boolean;
      readonly text: string;
      readonly value: JsonValue;
    }
  /** The log was recreated; `isAnnounced` by the server's `reset`, or seen only by the epoch of the next event. */
  | { readonly does: 'epoch'; readonly isAnnounced: boolean }
  /** The server replays the log from its start. */
  | { readonly does: 'replay' }
  /** An event that was received before, or a warning of the server's, which repeats the cursor. */
  | { readonly does: 'repeat'; readonly back: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 20,
    arbitrary: fc.record({ does: fc.constant('append' as const), event: fc.oneof(...CONTENT) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      does: fc.constant('gap' as const),
      size: fc.integer({ min: 1, max: 5 }),
      content: fc.boolean(),
      text,
      value: json,
    }),
  },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('epoch' as const), isAnnounced: fc.boolean() }) },
  { weight: 1, arbitrary: fc.constant({ does: 'replay' as const }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('repeat' as const), back: fc.nat(5) }) },
);

const end: fc.Arbitrary<EventContent | undefined> = optional(
  fc.oneof(
    ...content('complete', {
      status: fc.constant('SUCCESS'),
      result: optional(fc.oneof(text, json)),
      usage: optional(usage),
      durationMs: fc.nat(9),
    }),
    ...content('error', {
      status: fc.constantFrom('FAILED', 'CANCELED', 'TIMED_OUT', 'TERMINATED'),
      message: text,
      usage: optional(usage),
      durationMs: fc.nat(9),
    }),
  ),
);

/** Sequences of all kinds and modes. */
export const eventSequences: fc.Arbitrary<EventSequence> = fc
  .record({
    kind: fc.constantFrom<ExecutionKind>('workflow', 'agent', 'task'),
    mode: fc.constantFrom<ExecutionMode>('TEXT', 'STRUCTURED'),
    steps: fc.array(step, { maxLength: 40 }),
    end,
  })
  .map(({ kind, mode, steps, end: terminal }) => ({ kind, mode, events: play(kind, mode, steps, terminal) }));

function play(
  kind: ExecutionKind,
  mode: ExecutionMode,
  steps: readonly Step[],
  terminal: EventContent | undefined,
): readonly ExecutionEvent[] {
  const received: ExecutionEvent[] = [];
  let epoch = 0;
  let seq = 0;
  let attempt = 1;
  /** The log of the current epoch, as far as it was received. */
  let log: ExecutionEvent[] = [];
  const at = (position: number, each: EventContent): ExecutionEvent =>
    ({
      id: `${position}-epoch${epoch}`,
      seq: position,
      ts: TS,
      executionId: EXECUTION_ID,
      attempt,
      ...each,
    }) as ExecutionEvent;
  const append = (each: EventContent) => {
    seq += 1;
    const event = at(seq, each);
    log.push(event);
    received.push(event);
  };
  for (const each of steps) {
    switch (each.does) {
      case 'append':
        if (!isLegal(kind, mode, each.event.type)) break;
        if ('reason' in each.event.data && each.event.data.reason === 'attempt') attempt += 1;
        append(each.event);
        break;
      case 'gap': {
        const [fromSeq, toSeq] = [seq + 1, seq + each.size];
        const known = mode === 'TEXT' ? { text: each.text } : { value: each.value };
        seq = toSeq;
        const data = { fromSeq, toSeq, ...(each.content && kind !== 'workflow' && known) };
        received.push(at(seq, { type: 'gap', data }));
        log.push(received.at(-1)!);
        break;
      }
      case 'epoch':
        epoch += 1;
        seq = 0;
        log = [];
        if (each.isAnnounced) received.push(at(0, { type: 'reset', data: { reason: 'log_lost' } }));
        break;
      case 'replay':
        received.push(at(0, { type: 'reset', data: { reason: 'log_lost' } }), ...log);
        break;
      case 'repeat': {
        const event = log.at(-1 - each.back);
        if (event) received.push(event);
        if (seq > 0) received.push(at(seq, { type: 'warning', data: { code: 'SOURCE', message: 'm' } }));
        break;
      }
    }
  }
  if (terminal) append(terminal);
  return deepFreeze(received);
}

function isLegal(kind: ExecutionKind, mode: ExecutionMode, type: EventType): boolean {
  if (type === 'llm_chunk' && mode !== 'TEXT') return false;
  if (type === 'structured_delta' && mode !== 'STRUCTURED') return false;
  return CATALOGUE[type].includes(kind);
}
