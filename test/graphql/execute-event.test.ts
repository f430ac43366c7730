// Compiled or not, an operation gives the same bytes for an event (issue 6, "The executor").
import fc from 'fast-check';
import {
  executeSync,
  type GraphQLNamedType,
  type GraphQLOutputType,
  getNamedType,
  isAbstractType,
  isLeafType,
  isObjectType,
  parse,
  validate,
} from 'graphql';
import * as jit from 'graphql-jit';
import { describe, expect, test, vi } from 'vitest';
import type { ExecutionEvent } from '../../src/event/types.ts';
import { createEventExecutors } from '../../src/graphql/execute-event.ts';
import { schema } from '../../src/schema/index.ts';

vi.mock('graphql-jit', { spy: true });

const base = { id: '7-abcdefghij', seq: 7, ts: '2026-01-02T03:04:05.678Z', executionId: 'a1', attempt: 2 };
const usage = { inputTokens: 1, outputTokens: 2, totalTokens: 3, model: 'm', costUsd: 0.25 };
/** One of each type, with and without what may be absent. */
const EVENTS = [
  { type: 'workflow_start', data: { workflowId: 'w', workflowType: 't', runId: 'r' } },
  { type: 'workflow_status', data: { status: 'RUNNING' } },
  { type: 'workflow_status', data: { status: 'WAITING', step: 's', usage } },
  { type: 'agent_start', data: { agentId: 'g' } },
  { type: 'agent_status', data: { status: 'RUNNING', step: 'ß' } },
  { type: 'task_start', data: { taskId: 't' } },
  { type: 'task_status', data: { status: 'PAUSED', taskId: 't' } },
  {
    type: 'tool_call',
    data: {
      toolCallId: 'c',
      toolName: 'n',
      status: 'succeeded',
      args: { a: [1, null] },
      result: 'x',
      durationMs: 5,
    },
  },
  { type: 'tool_call', data: { toolCallId: 'c', toolName: 'n', status: 'failed', error: 'no' } },
  { type: 'llm_chunk', data: { content: 'a\r\n👩‍🚀\u2028"\\' } },
  { type: 'structured_delta', data: { patch: [{ op: 'add', path: '/a', value: { b: [true] } }] } },
  { type: 'warning', data: { code: 'C', message: 'm' } },
  { type: 'reset', data: { reason: 'log_lost' } },
  { type: 'gap', data: { fromSeq: 1, toSeq: 6 } },
  { type: 'gap', data: { fromSeq: 1, toSeq: 6, text: 't' } },
  { type: 'error', data: { status: 'TIMED_OUT', message: 'm', durationMs: 1 } },
  { type: 'error', data: { status: 'FAILED', message: 'm', code: 'c', usage, durationMs: 1 } },
  { type: 'complete', data: { status: 'SUCCESS', result: { a: 1 }, usage, durationMs: 1 } },
  { type: 'complete', data: { status: 'SUCCESS', resultOmitted: true, durationMs: 1 } },
].map((event) => ({ ...base, ...event }) as unknown as ExecutionEvent);

/** Any valid selection: aliases, `__typename`, directives, fragments inline and named, nested typed fields. */
function selectionOf(type: GraphQLNamedType, depth = 0): fc.Arbitrary<string> {
  const own =
    'getFields' in type
      ? Object.values(type.getFields() as Record<string, { name: string; type: GraphQLOutputType }>)
      : [];
  const fields = own.map(({ name, type: fieldType }) => {
    const named = getNamedType(fieldType);
    // One alias a field, so that no two selections of one name differ.
    const shape = fc.constantFrom(
      name,
      `x_${name}: ${name}`,
      `${name} @include(if: $on)`,
      `y_${name}: ${name} @skip(if: $on)`,
    );
    return isLeafType(named)
      ? shape
      : shape.chain((text) => selectionOf(named, depth + 1).map((inner) => `${text} ${inner}`));
  });
  const more: fc.Arbitrary<string>[] = [
    fc.constant('__typename'),
    ...(depth === 0 ? [fc.constant('...Common')] : []),
  ];
  const types = isAbstractType(type) ? schema.getPossibleTypes(type) : [];
  const inline = types.map((one) =>
    selectionOf(one, depth + 1).map((inner) => `... on ${one.name} ${inner}`),
  );
  return fc
    .array(fc.oneof(...[...fields, ...more, ...inline].map((arbitrary) => arbitrary)), {
      minLength: 1,
      maxLength: 8,
    })
    .map((parts) => `{ ${parts.join(' ')} }`);
}

const EVENT = schema.getType('ExecutionEvent')!;
const documents = selectionOf(EVENT).map(
  (selection) => `subscription($on: Boolean! = true) { stream: agentStream(id: "a1") ${selection} }
    fragment Common on ExecutionEvent { seq kind: type ... on LlmChunk { content } }`,
);

describe('an operation that is executed often', () => {
  test('gives the same bytes as the general executor, for any valid selection', () => {
    let compared = 0;
    fc.assert(
      fc.property(
        documents,
        fc.constantFrom(undefined, { on: false }, { on: true }),
        (source, variableValues) => {
          const document = parse(source);
          // Two selections of one name that differ, or a fragment that nobody uses.
          if (validate(schema, document).some(({ message }) => !message.includes('never used'))) return;
          const args = { schema, document, variableValues };
          const execute = createEventExecutors()(args);
          for (let i = 0; i < 100; i += 1) execute(EVENTS[0]!);
          for (const event of EVENTS) {
            const expected = executeSync({ ...args, rootValue: event, contextValue: {} });
            expect(JSON.stringify(execute(event))).toBe(JSON.stringify(expected));
            compared += 1;
          }
        },
      ),
      { numRuns: 300 },
    );
    expect(compared).toBeGreaterThan(1_000);
  }, 60_000);

  test('is compiled once, whichever executions its documents name', () => {
    vi.mocked(jit.compileQuery).mockClear();
    const executorOf = createEventExecutors();
    for (let n = 0; n < 50; n += 1) {
      const document = parse(`subscription { agentStream(id: "a${n}", after: "1") { id } }`);
      const execute = executorOf({ schema, document });
      for (let i = 0; i < 10; i += 1)
        expect(execute(EVENTS[0]!).data).toEqual({ agentStream: { id: base.id } });
    }
    expect(jit.compileQuery).toHaveBeenCalledTimes(1);
  });

  test('one that was sent once is not compiled', () => {
    vi.mocked(jit.compileQuery).mockClear();
    const execute = createEventExecutors()({
      schema,
      document: parse('subscription { agentStream(id: "a") { seq } }'),
    });
    for (let i = 0; i < 99; i += 1) execute(EVENTS[0]!);
    expect(jit.compileQuery).not.toHaveBeenCalled();
  });

  test('what the compiled operation finds an error in, the general executor answers', () => {
    const document = parse('subscription { agentStream(id: "a") { seq ... on LlmChunk { content } } }');
    const execute = createEventExecutors()({ schema, document });
    for (let i = 0; i < 100; i += 1) execute(EVENTS[0]!);
    const broken = { ...base, type: 'llm_chunk', seq: 'no number', data: {} } as unknown as ExecutionEvent;
    const expected = executeSync({ schema, document, rootValue: broken, contextValue: {} });
    expect(expected.errors).toBeDefined();
    expect(JSON.stringify(execute(broken))).toBe(JSON.stringify(expected));
  });
});

test('every type of event has been compared', () => {
  const possible = schema.getPossibleTypes(EVENT as never).filter(isObjectType);
  expect(new Set(EVENTS.map(({ type }) => type)).size).toBe(possible.length);
});
