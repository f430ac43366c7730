// Subscriptions are recognised in any document that a GraphQL parser accepts.
import fc from 'fast-check';
import { getOperationAST, parse } from 'graphql';
import { expect, test } from 'vitest';
import { isSubscription } from '../../../src/client/graphql/operation-type.ts';
import { propertyRuns } from '../../support/property-runs.ts';

/** The parts of documents that look like an operation and are not one. */
const SPACES = [
  ' ',
  '\n',
  ',',
  '\uFEFF',
  '# subscription S { a }\n',
  '#\u2028 query Q { a }\r',
  '# """ { ( [\r\n',
];
const NAMES = ['A', 'B', 'subscription', 'query', 'fragment', 'on_', '_1'];
const DEFAULTS = [
  '1',
  '"}"',
  '"\\"{"',
  '"""\n } \\""" subscription { """',
  '{ b: { c: [{}] } }',
  '[")", "("]',
  '""',
];
const DIRECTIVES = ['', '@d', '@subscription', '@d(a: "{", b: { c: """ } """ })'];
const SELECTIONS = [
  '{ a }',
  '{ a { b } }',
  '{ subscription { query } }',
  '{ a(b: "}") ...F }',
  '{ a(b: {c: "{"}) }',
];

const one = <T>(values: readonly T[]) => fc.constantFrom(...values);

const operation = fc
  .record({
    keyword: one(['query', 'mutation', 'subscription']),
    name: one(NAMES),
    value: one(DEFAULTS),
    directive: one(DIRECTIVES),
    selection: one(SELECTIONS),
    space: one(SPACES),
    isShort: fc.boolean(),
  })
  .map(({ keyword, name, value, directive, selection, space, isShort }) => ({
    name,
    text: isShort
      ? `${keyword} ${name}${space}${selection}`
      : `${keyword} ${name}${space}($v: T = ${value})${directive}${space}${selection}`,
  }));
const fragment = fc
  .record({ name: one(['F', 'subscription', 'query']), type: one(NAMES), selection: one(SELECTIONS) })
  .map(({ name, type, selection }) => ({ name: '', text: `fragment ${name} on ${type} ${selection}` }));

test('an operation is a subscription if the parser of graphql says so', () => {
  const documents = fc.array(fc.oneof({ weight: 3, arbitrary: operation }, fragment), {
    minLength: 1,
    maxLength: 5,
  });
  fc.assert(
    fc.property(documents, one(SPACES), (definitions, space) => {
      const document = definitions.map(({ text }) => text).join(space);
      const ast = parse(document);
      const names = definitions.map(({ name }) => name).filter((name) => name !== '');
      // GraphQL rejects documents in which a name is used twice.
      fc.pre(new Set(names).size === names.length);
      for (const name of names) {
        const expected = getOperationAST(ast, name)?.operation === 'subscription';
        expect(isSubscription(document, name), document).toBe(expected);
      }
      if (names.length === 1) {
        const expected = getOperationAST(ast)?.operation === 'subscription';
        expect(isSubscription(document), document).toBe(expected);
        expect(isSubscription(document, null), document).toBe(expected);
      }
    }),
    { numRuns: propertyRuns(300) },
  );
});

test.each([
  ['{ a }', undefined, false],
  ['subscription { a }', undefined, true],
  ['subscription{a}', '', true],
  ['subscription @d { a }', undefined, true],
  ['query Q { a } subscription S { a }', 'Q', false],
  ['query Q { a } subscription S { a }', 'S', true],
  ['fragment subscription on Query { a } query Q { a }', undefined, false],
  ['query Q($v: T = {}) @subscription { a }', undefined, false],
  ['', undefined, false],
  ['subscription S {', 'S', false],
  ['}}} subscription', undefined, false],
])('%j with the operation name %j: %j', (document, name, expected) => {
  expect(isSubscription(document, name)).toBe(expected);
});
