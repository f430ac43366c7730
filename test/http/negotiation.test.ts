// Content negotiation by quality, specificity and order.
import { describe, expect, test } from 'vitest';
import { preferredType, prefersPage } from '../../src/http/negotiation.ts';

const MULTIPART = 'multipart/mixed;subscriptionSpec=1.0';
const TYPES = [
  'application/json',
  'application/graphql-response+json',
  'text/event-stream',
  MULTIPART,
] as const;

function preferred(accept: string | undefined): string | undefined {
  const headers = new Headers(accept === undefined ? {} : { accept });
  return preferredType({ headers }, TYPES);
}

describe('the preferred type', () => {
  test.each([
    [
      'of equal quality is the first in the header',
      'text/event-stream, application/json',
      'text/event-stream',
    ],
    ['is the one of higher quality', 'text/event-stream;q=0.1, application/json;q=0.2', 'application/json'],
    ['has quality 1 by default', 'text/event-stream;q=0.9, application/json', 'application/json'],
    ['is never one of quality 0', 'text/event-stream;q=0, */*', 'application/json'],
    ['of a wildcard is the first available one', '*/*', 'application/json'],
    ['of a partial wildcard is of that type', 'text/*', 'text/event-stream'],
    ['named exactly precedes a wildcard of equal quality', '*/*, text/event-stream', 'text/event-stream'],
    ['is recognised in any case', 'TEXT/Event-Stream', 'text/event-stream'],
    ['does not depend on a charset', 'application/json; charset="utf-8"', 'application/json'],
    ['does not depend on a boundary', 'multipart/mixed;boundary="a,b";subscriptionSpec=1.0', MULTIPART],
    ['may be named without its parameters', 'multipart/mixed', MULTIPART],
    ['may have quoted parameters', 'multipart/mixed; subscriptionSpec="1.0"', MULTIPART],
    ['of urql is JSON', 'application/graphql-response+json, application/json, text/event-stream', TYPES[1]],
    [
      'of a browser is the one that its wildcard selects',
      'text/html,image/webp,*/*;q=0.8',
      'application/json',
    ],
    ['without a header is the first available one', undefined, 'application/json'],
    ['of an empty header is the first available one', '', 'application/json'],
  ])('%s', (_, accept, expected) => {
    expect(preferred(accept)).toBe(expected);
  });

  test.each([
    'text/html',
    'text/event-streams',
    'application/json;q=0',
    'multipart/mixed;deferSpec=20220824',
    'nonsense',
    '*/*;q=0',
  ])('is absent if the header accepts none: %s', (accept) => {
    expect(preferred(accept)).toBeUndefined();
  });
});

test.each([
  ['text/html,application/xhtml+xml,*/*;q=0.8', true],
  ['text/html;q=0.5, application/json', false],
  ['text/html;q=0, image/png', false],
  ['*/*', false],
  ['text/*', true],
])('a request that accepts %s prefers a page: %s', (accept, expected) => {
  expect(prefersPage({ headers: new Headers({ accept }) })).toBe(expected);
});
