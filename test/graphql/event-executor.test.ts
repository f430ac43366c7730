// An operation gives the same bytes for an event, whether it is compiled or not.
import fc from 'fast-check';
import {
  buildSchema,
  type ExecutionArgs,
  type ExecutionResult,
  executeSync,
  type GraphQLInterfaceType,
  type GraphQLNamedType,
  type GraphQLOutputType,
  type GraphQLScalarType,
  getNamedType,
  isAbstractType,
  isLeafType,
  isObjectType,
  parse,
  validate,
} from 'graphql';
import { describe, expect, test, vi } from 'vitest';
import type { ExecutionEvent } from '../../src/event/events.ts';
import * as selection from '../../src/graphql/compiled-selection.ts';
import { maskErrors } from '../../src/graphql/errors.ts';
import { createEventExecutors } from '../../src/graphql/event-executor.ts';
import { schema } from '../../src/schema/index.ts';
import { propertyRuns } from '../support/property-runs.ts';

vi.mock('../../src/graphql/compiled-selection.ts', { spy: true });

const base = { id: '7-abcdefghij', seq: 7, ts: '2026-01-02T03:04:05.678Z', executionId: 'a1', attempt: 2 };
const usage = { inputTokens: 1, outputTokens: 2, totalTokens: 3, model: 'm', costUsd: 0.25 };
/** One event of each type, with and without its optional fields. */
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
  { type: 'llm_chunk', data: { content: 'a', topic: 'tokens' } },
  { type: 'custom', data: { name: 'n', value: { done: [0.5] } } },
  { type: 'custom', data: { name: 'n', valueOmitted: true, valueBytes: 99 } },
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

/** Any valid selection: aliases, `__typename`, directives, inline and named fragments, nested typed fields. */
function selectionOf(type: GraphQLNamedType, depth = 0): fc.Arbitrary<string> {
  const own =
    'getFields' in type
      ? Object.values(type.getFields() as Record<string, { name: string; type: GraphQLOutputType }>)
      : [];
  const fields = own.map(({ name, type: fieldType }) => {
    const named = getNamedType(fieldType);
    // One alias per field, so that no two selections of one name differ.
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
    fragment Common on ExecutionEvent { seq kind: type ... on LlmChunkEvent { content } }`,
);

const general = (args: ExecutionArgs, event: ExecutionEvent): ExecutionResult =>
  executeSync({ ...args, rootValue: event, contextValue: {} });

const { compileOperation } = selection;

describe('a compiled operation', () => {
  test('a compiled operation gives the same bytes as graphql-js for any valid selection', () => {
    let compared = 0;
    fc.assert(
      fc.property(
        documents,
        fc.constantFrom(undefined, { on: false }, { on: true }),
        (source, variableValues) => {
          const document = parse(source);
          // Two different selections of one name, or an unused fragment.
          if (validate(schema, document).some(({ message }) => !message.includes('never used'))) return;
          const args = { schema, document, variableValues };
          const compiled = compileOperation(args)!;
          for (const event of EVENTS) {
            const expected = JSON.stringify(general(args, event));
            expect(compiled.json(event)).toBe(expected);
            expect(JSON.stringify({ data: compiled.data(event) })).toBe(expected);
            compared += 1;
          }
        },
      ),
      { numRuns: propertyRuns(300) },
    );
    expect(compared).toBeGreaterThan(propertyRuns(1_000));
  }, 60_000);

  test('a compiled operation gives the same bytes as graphql-js for any text and any number', () => {
    const source =
      'subscription { agentStream(id: "a") { seq ... on LlmChunkEvent { content } ... on CompleteEvent { durationMs usage { costUsd } } } }';
    const args = { schema, document: parse(source) };
    const compiled = compileOperation(args)!;
    // Every character that may need an escape, alone and among others, and lone surrogates.
    const every = Array.from({ length: 0x100 }, (_, code) => String.fromCharCode(code));
    const text = fc.oneof(
      fc.constantFrom(...every, '\u2028', '\ud800', 'x\udc00'),
      fc.string({ unit: 'binary' }),
    );
    const number = fc.oneof(
      fc.constantFrom(0, -0, 1e21, 5e-324, 0.1),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
    );
    fc.assert(
      fc.property(text, number, (content, costUsd) => {
        for (const event of [
          { ...base, type: 'llm_chunk', data: { content } },
          { ...base, type: 'complete', data: { durationMs: 3, usage: { ...usage, costUsd } } },
        ] as unknown as ExecutionEvent[]) {
          expect(compiled.json(event)).toBe(JSON.stringify(general(args, event)));
        }
      }),
      { numRuns: propertyRuns(3_000) },
    );
  });

  test.each([
    ['merges fields of one key', '{ x: seq id x: seq ...F } fragment F on ExecutionEvent { ts id }'],
    [
      'merges objects of one key',
      '{ ... on CompleteEvent { u: usage { model } } ...F } fragment F on CompleteEvent { u: usage { costUsd model } }',
    ],
    [
      'supports keys that are also properties of objects',
      '{ __proto__: seq constructor: id toString: type }',
    ],
    [
      'excludes nested fragments by a constant',
      '{ ...A ...B @skip(if: true) } fragment A on ExecutionEvent { ...B } fragment B on ExecutionEvent { seq }',
    ],
  ])('a compiled operation %s', (_, selection) => {
    const [fields, ...fragments] = selection.split(' fragment ');
    const source = [`subscription { agentStream(id: "a") ${fields} }`, ...fragments].join(' fragment ');
    const args = { schema, document: parse(source) };
    expect(validate(schema, args.document)).toEqual([]);
    for (const event of EVENTS) {
      expect(compileOperation(args)!.json(event)).toBe(JSON.stringify(general(args, event)));
      expect(JSON.stringify({ data: compileOperation(args)!.data(event) })).toBe(
        JSON.stringify(general(args, event)),
      );
    }
  });

  test('fragments that spread the next one twice are visited once each', () => {
    const depth = 40;
    const fragments = Array.from(
      { length: depth },
      (_, i) => `fragment F${i} on ExecutionEvent { ...F${i + 1} ...F${i + 1} }`,
    );
    const source = `subscription { agentStream(id: "a") { ...F0 } } ${fragments.join(' ')}
      fragment F${depth} on ExecutionEvent { seq }`;
    const compiled = compileOperation({ schema, document: parse(source) })!;
    expect(compiled.json(EVENTS[0]!)).toBe('{"data":{"agentStream":{"seq":7}}}');
  });

  test('the operation that is named is compiled, if a document has several', () => {
    const document = parse(
      'subscription A { agentStream(id: "a") { id } } subscription B { agentStream(id: "a") { seq } }',
    );
    const executor = createEventExecutors()({ schema, document, operationName: 'B' });
    expect(executor.json(EVENTS[0]!)).toBe('{"data":{"agentStream":{"seq":7}}}');
  });
});

test('an executor takes results from the compiled operation, without graphql-js', () => {
  const compiled = { json: () => '{"data":"compiled"}', data: () => ({ is: 'compiled' }) };
  vi.mocked(selection.compileOperation).mockReturnValueOnce(compiled);
  const document = parse('subscription { agentStream(id: "a") { seq } }');
  const executor = createEventExecutors()({ schema, document });
  expect(executor.json(EVENTS[0]!)).toBe('{"data":"compiled"}');
  expect(executor.result(EVENTS[0]!)).toEqual({ data: { is: 'compiled' } });
});

test('an operation that cannot be compiled is executed by graphql-js', () => {
  vi.mocked(selection.compileOperation).mockReturnValueOnce(undefined);
  const document = parse('subscription { agentStream(id: "a") { seq } }');
  const executor = createEventExecutors()({ schema, document });
  expect(executor.json(EVENTS[0]!)).toBe('{"data":{"agentStream":{"seq":7}}}');
  expect(executor.result(EVENTS[0]!)).toEqual({ data: { agentStream: { seq: 7 } } });
});

test('operations share what is compiled if nothing that shapes a result differs, and only then', () => {
  const executorOf = createEventExecutors();
  const of = (source: string, variableValues = {}) =>
    executorOf({ schema, document: parse(source), variableValues }).json(EVENTS[0]!);
  const compile = vi.mocked(selection.compileOperation);
  compile.mockClear();
  for (let n = 0; n < 10; n += 1) of(`subscription { agentStream(id: "a${n}", after: "${n}") { id } }`);
  expect(compile).toHaveBeenCalledTimes(1);
  const conditional =
    'subscription($id: ID!, $on: Boolean!) { agentStream(id: $id) { seq id @include(if: $on) } }';
  for (const id of ['a', 'b']) {
    expect(of(conditional, { id, on: true })).toBe(`{"data":{"agentStream":{"seq":7,"id":"${base.id}"}}}`);
    expect(of(conditional, { id, on: false })).toBe('{"data":{"agentStream":{"seq":7}}}');
  }
  expect(of('subscription { agentStream(id: "a") { seq id @include(if: true) } }')).toContain('"id"');
  expect(of('subscription { agentStream(id: "a") { seq id @include(if: false) } }')).not.toContain('"id"');
  expect(compile).toHaveBeenCalledTimes(5);
});

describe('operations that are not compiled', () => {
  const document = parse(
    'subscription { agentStream(id: "a") { seq ... on LlmChunkEvent { content } data } }',
  );
  const executor = createEventExecutors()({ schema, document });
  const broken = (change: object) =>
    ({ ...base, type: 'llm_chunk', data: { content: 'c' }, ...change }) as unknown as ExecutionEvent;

  test.each([
    ['a scalar with an invalid value', { seq: 'no number' }],
    ['a non-null field without a value', { data: {} }],
    ['a missing object', { data: undefined }],
    ['a value that JSON cannot represent', { data: () => {} }],
    ['an unknown event type', { type: 'no_such_type' }],
  ])('%s is reported by graphql-js', (_, change) => {
    const event = broken(change);
    const expected = JSON.stringify(maskErrors(general({ schema, document }, event)));
    expect(executor.json(event)).toBe(expected);
    expect(JSON.stringify(executor.result(event))).toBe(expected);
  });

  test.each([
    ['a function', () => {}],
    ['NaN', Number.NaN],
    ['Infinity', Number.POSITIVE_INFINITY],
  ])('the data of an event that is %s has the same result as in graphql-js', (_, data) => {
    const document = parse('subscription { agentStream(id: "a") { data } }');
    const event = broken({ data });
    const expected = JSON.stringify(maskErrors(general({ schema, document }, event)));
    expect(createEventExecutors()({ schema, document }).json(event)).toBe(expected);
  });

  test.each([
    ['undefined', undefined],
    ['null', null],
    ['a promise', Promise.resolve('late')],
  ])('a scalar that is serialised as %s is left to graphql-js', (_, serialized) => {
    const other = buildSchema(`
      scalar Odd
      interface Event { odd: Odd }
      type One implements Event { odd: Odd }
      type Query { no: Int }
      type Subscription { events: Event }`);
    (other.getType('Odd') as GraphQLScalarType).serialize = () => serialized;
    (other.getType('Event') as GraphQLInterfaceType).resolveType = () => 'One';
    const document = parse('subscription { events { odd } }');
    const event = { type: 'one', odd: 1 } as unknown as ExecutionEvent;
    const operation = compileOperation({ schema: other, document })!;
    expect(() => operation.json(event)).toThrow('fall back to graphql-js');
    expect(() => operation.data(event)).toThrow('fall back to graphql-js');
  });

  test('an operation with two streams, or with one whose events have a single type, is not compiled', () => {
    const other = buildSchema(`
      interface Event { id: ID }
      type One implements Event { id: ID }
      type Query { no: Int }
      type Subscription { events: Event bare: One }`);
    for (const selected of ['a: events { id } b: events { id }', 'bare { id }']) {
      expect(
        compileOperation({ schema: other, document: parse(`subscription { ${selected} }`) }),
      ).toBeUndefined();
    }
  });

  test('fields with arguments and lists are executed by graphql-js', () => {
    const other = buildSchema(`
      interface Event { id: ID! many: [Int!] shout(loud: Boolean): String }
      type One implements Event { id: ID! many: [Int!] shout(loud: Boolean): String }
      type Query { no: Int }
      type Subscription { events: Event bare: One }`);
    const event = {
      __typename: 'One',
      type: 'one',
      id: '1',
      many: [1, 2],
      shout: () => 'hey',
    } as unknown as ExecutionEvent;
    (other.getType('Event') as GraphQLInterfaceType).resolveType = () => 'One';
    const root = { events: event, bare: event } as unknown as ExecutionEvent;
    for (const selection of ['events { many }', 'events { shout }', 'bare { id }']) {
      const args = { schema: other, document: parse(`subscription { ${selection} }`) };
      const expected = JSON.stringify(general(args, root));
      expect(expected).not.toContain('errors');
      expect(createEventExecutors()(args).json(root)).toBe(expected);
    }
  });
});

test('every event type has been compared', () => {
  const possible = schema.getPossibleTypes(EVENT as never).filter(isObjectType);
  expect(new Set(EVENTS.map(({ type }) => type)).size).toBe(possible.length);
});
