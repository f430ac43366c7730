// The cost of documents: every field, multiplied by the sizes of the lists around it.
import { getIntrospectionQuery, parse } from 'graphql';
import { describe, expect, test } from 'vitest';
import { costOf } from '../../src/graphql/query-cost.ts';
import { DEFAULT_QUERY_LIMITS } from '../../src/graphql/query-limits.ts';
import { schema } from '../../src/schema/index.ts';

const cost = (text: string, variables?: Record<string, unknown>) =>
  costOf(schema, parse(text), undefined, variables);

/** 1 for `executions` and `edges`, and for each edge `node` and `id`. */
const page = (size: number) => 2 + size * 2;

describe('the cost of a document', () => {
  test('the cost of a list is that of its selection times `first`, 20 by default', () => {
    expect(cost('{ executions(first: 7) { edges { node { id } } } }')).toBe(page(7));
    expect(cost('{ executions { edges { node { id } } } }')).toBe(page(20));
    expect(cost('{ executions(first: null) { edges { node { id } } } }')).toBe(page(20));
    expect(cost('{ executions(first: 7) { pageInfo { endCursor } } }')).toBe(3);
  });

  test('the cost of a list above the largest page is that of the largest page', () => {
    const of = (first: number) =>
      costOf(schema, parse(`{ executions(first: ${first}) { edges { node { id } } } }`), undefined);
    expect(of(1_000_000)).toBe(of(100));
  });

  test('the cost uses `first` from variables, their defaults and the default of the argument', () => {
    const text = (type: string) => `query ($n: ${type}) { executions(first: $n) { edges { node { id } } } }`;
    expect(cost(text('Int'), { n: 9 })).toBe(page(9));
    expect(cost(text('Int = 8'))).toBe(page(8));
    expect(cost(text('Int = 8'), { n: null })).toBe(page(20));
    expect(cost(text('Int'))).toBe(page(20));
    expect(cost(text('Int'), { n: 'a lot' })).toBe(page(100));
    expect(cost(text('Int'), { n: -5 })).toBe(page(1));
  });

  test('the cost of a `first` below 1 is that of one element, and of one that is not an integer that of the largest page', () => {
    const of = (first: string) => cost(`{ executions(first: ${first}) { edges { node { id } } } }`);
    expect(of('0')).toBe(page(1));
    expect(of('-3')).toBe(page(1));
    expect(of('100')).toBe(page(100));
    expect(of('1.5')).toBe(page(100));
    expect(of('"7"')).toBe(page(100));
    const defaulted = 'query ($n: Int = 8, $m: Int) { executions(first: $m) { edges { node { id } } } }';
    expect(cost(defaulted)).toBe(page(20));
  });

  test('the cost uses `first` wherever it is among the arguments', () => {
    expect(cost('{ executions(after: "x", first: 7, kind: AGENT) { edges { node { id } } } }')).toBe(page(7));
    expect(cost('{ executions(after: "x") { edges { node { id } } } }')).toBe(page(20));
  });

  test('the cost of an inline fragment is that of its type, or of the type around it', () => {
    const narrowed =
      'subscription { agentStream(id: "a") { ... on CompleteEvent { usage { inputTokens outputTokens } } } }';
    expect(cost(narrowed)).toBe(1 + (1 + 2));
    expect(cost('{ ... { executions(first: 7) { ... { edges { node { id } } } } } }')).toBe(page(7));
  });

  test('the cost of introspection lists is that of ten types, and of three of anything else', () => {
    expect(cost('{ __schema { types { name } } }')).toBe(1 + (1 + 10));
    expect(cost('{ __schema { directives { name } } }')).toBe(1 + (1 + 3));
    expect(cost('{ __schema { types { fields { name } } } }')).toBe(1 + (1 + 10 * (1 + 3)));
    expect(cost('{ __type(name: "Query") { fields { name } } }')).toBe(1 + (1 + 3));
    expect(cost('{ __typename }')).toBe(1);
  });

  test('the cost is that of the operation which is executed', () => {
    const text = 'query A { a: __typename b: __typename } query B { __typename }';
    expect(costOf(schema, parse(text), 'A')).toBe(2);
    expect(costOf(schema, parse(text), 'B')).toBe(1);
    expect(costOf(schema, parse(text), undefined)).toBe(0);
    expect(cost('{ executions(first: 5) { ...None } none { a b } }')).toBe(2);
  });

  test('the cost of nested lists is multiplied', () => {
    const text =
      '{ executions(first: 10) { edges { node { children(first: 5) { edges { node { id } } } } } } }';
    expect(cost(text)).toBe(2 + 10 * (1 + page(5)));
  });

  test('the cost of `_entities` is that of its selection times the number of representations', () => {
    const text = (argument: string, variables = '') =>
      `query${variables} { _entities(representations: ${argument}) { __typename ... on Execution { id } } }`;
    const reference = '{__typename: "Execution", id: "a1"}';
    expect(cost(text(`[${reference}, ${reference}, ${reference}]`))).toBe(1 + 3 * 2);
    expect(cost(text(reference))).toBe(1 + 2);
    expect(cost(text('[$a, $a]', '($a: _Any!)'), { a: {} })).toBe(1 + 2 * 2);
    expect(cost(text('$r', '($r: [_Any!]!)'), { r: Array(500).fill({}) })).toBe(1 + 500 * 2);
    expect(cost(text('$r', '($r: [_Any!]!)'), { r: {} })).toBe(1 + 2);
    expect(cost(text('$r', `($r: [_Any!]! = [${reference}, ${reference}])`))).toBe(1 + 2 * 2);
  });

  test('the cost includes fragments wherever they are spread', () => {
    const text = `
      query { executions(first: 10) { ...Page ...Page ... on ExecutionConnection { edges { node { ...Node } } } } }
      fragment Page on ExecutionConnection { edges { node { ...Node } } }
      fragment Node on Execution { id name }`;
    expect(cost(text)).toBe(1 + 3 * (1 + 10 * 3));
  });

  test('the cost of fragments that double each other is computed without following each spread', () => {
    const doubling = Array.from(
      { length: 60 },
      (_, i) => `fragment F${i} on Execution { ...F${i + 1} ...F${i + 1} }`,
    );
    const text = `{ executions(first: 1) { edges { node { ...F0 } } } } ${doubling.join(' ')} fragment F60 on Execution { id }`;
    expect(cost(text)).toBeGreaterThanOrEqual(2 ** 60);
  });

  test('the cost limit admits the introspection of GraphiQL, and not one that is multiplied by aliases', () => {
    const { cost: limit } = DEFAULT_QUERY_LIMITS;
    expect(cost(getIntrospectionQuery())).toBeLessThan(limit);
    const aliases = (inner: string) =>
      'abcdefghijklmno'
        .split('')
        .map((name) => `${name}: fields { ${inner} }`)
        .join(' ');
    expect(cost(`{ __schema { types { ${aliases(`type { ${aliases('name')} }`)} } } }`)).toBeGreaterThan(
      limit,
    );
  });
});
