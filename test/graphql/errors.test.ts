// Errors as GraphQL responses show them: their code, their status, and which details are masked.
import { GraphQLError, parse, type Source, validate } from 'graphql';
import { describe, expect, test } from 'vitest';
import { ERROR_CODES, type ErrorCode, ExecstreamError } from '../../src/event/errors.ts';
import {
  isInternal,
  maskError,
  maskErrors,
  statusOf,
  toGraphQLError,
  withoutHttp,
  withProtocolCode,
} from '../../src/graphql/errors.ts';
import { schema } from '../../src/schema/index.ts';

/** An error as graphql-js reports it: with the place in the document, and the error of the resolver. */
function located(originalError: Error, message = originalError.message): GraphQLError {
  const document = parse('{ execution(id: "a1") { id } }');
  return new GraphQLError(message, { nodes: document.definitions[0], path: ['execution'], originalError });
}

describe('an error of ours', () => {
  test('keeps its message, its code, and its place in the document', () => {
    const error = located(new ExecstreamError('NOT_FOUND', 'no execution a1'));
    const masked = maskError(error) as GraphQLError;
    expect(masked.toJSON()).toEqual({
      message: 'no execution a1',
      locations: [{ line: 1, column: 1 }],
      path: ['execution'],
      extensions: { code: 'NOT_FOUND' },
    });
    expect(masked.source).toBe(error.source satisfies Source | undefined);
    expect(masked.originalError).toBeUndefined();
  });

  test('has an HTTP status and Retry-After if it is temporary, and a status if credentials are missing', () => {
    for (const [code, { status, retryable }] of Object.entries(ERROR_CODES)) {
      const masked = maskError(located(new ExecstreamError(code as ErrorCode, 'm'))) as GraphQLError;
      const isSent = retryable || code === 'UNAUTHENTICATED';
      const http = { status, headers: { 'Retry-After': '5' } };
      expect(masked.extensions).toEqual(isSent ? { code, http } : { code });
      expect(statusOf({ errors: [masked] })).toBe(isSent ? status : undefined);
    }
  });

  test('has the time after which the request can succeed, if that is known', () => {
    const error = new ExecstreamError('TOO_MANY_STREAMS', 'm', { retryAfterSeconds: 17 });
    expect((maskError(located(error)) as GraphQLError).extensions.http).toEqual({
      status: 429,
      headers: { 'Retry-After': '17' },
    });
  });

  test('is found below the errors in which graphql-js has wrapped it, whose message is kept', () => {
    const error = located(
      located(new ExecstreamError('BAD_CURSOR', '"x" is not a cursor')),
      'Variable "$after" got invalid value "x"; "x" is not a cursor',
    );
    expect((maskError(error) as GraphQLError).toJSON()).toMatchObject({
      message: 'Variable "$after" got invalid value "x"; "x" is not a cursor',
      extensions: { code: 'BAD_CURSOR' },
    });
  });

  test('is masked if it is INTERNAL', () => {
    const masked = maskError(located(new ExecstreamError('INTERNAL', 'secret'))) as GraphQLError;
    expect(masked.toJSON()).toMatchObject({ message: 'Unexpected error.', extensions: { code: 'INTERNAL' } });
    expect(isInternal(located(new ExecstreamError('INTERNAL', 'secret')))).toBe(true);
    expect(isInternal(located(new ExecstreamError('NOT_FOUND', 'm')))).toBe(false);
  });

  test('that a plugin throws gets its code from `maskError`', () => {
    const error = toGraphQLError(new ExecstreamError('CAPACITY', 'full'));
    expect(error.message).toBe('full');
    expect((maskError(error) as GraphQLError).extensions).toMatchObject({ code: 'CAPACITY' });
  });
});

describe('any other error', () => {
  test.each([
    ['an error of a resolver', located(new TypeError('secret'))],
    ['an error outside of GraphQL', new TypeError('secret')],
    ['a thrown text', 'secret'],
  ])('is masked, and kept for the log: %s', (_, error) => {
    const masked = maskError(error) as GraphQLError;
    expect(masked.toJSON()).toEqual({ message: 'Unexpected error.', extensions: { code: 'INTERNAL' } });
    expect(masked.originalError?.message).toBe('secret');
    expect(isInternal(error)).toBe(true);
  });

  test('is a mistake in the request if graphql-js reports it without a code', () => {
    const [error] = validate(schema, parse('{ nothing }'));
    const masked = maskError(error) as GraphQLError;
    expect(masked.toJSON()).toEqual({ ...error!.toJSON(), extensions: { code: 'BAD_USER_INPUT' } });
    expect(isInternal(error)).toBe(false);
  });

  test('keeps the code that it has', () => {
    const error = new GraphQLError('m', { extensions: { code: 'PERSISTED_QUERY_NOT_FOUND' } });
    expect(maskError(error)).toBe(error);
  });
});

describe('a result', () => {
  test('without errors is returned unchanged', () => {
    const result = { data: { a: 1 } };
    expect(maskErrors(result)).toBe(result);
    expect(statusOf(result)).toBeUndefined();
  });

  test('has each of its errors masked, and keeps its data', () => {
    const errors = [located(new TypeError('secret')), located(new ExecstreamError('NOT_FOUND', 'm'))];
    const masked = maskErrors({ data: null, errors });
    expect(masked.data).toBeNull();
    expect(masked.errors!.map(({ message }) => message)).toEqual(['Unexpected error.', 'm']);
  });

  test('has the status of the first error that has one', () => {
    const coded = (code?: string) => new GraphQLError('m', { extensions: code ? { code } : {} });
    expect(statusOf({ errors: [coded(), coded('NOT_FOUND'), coded('CAPACITY')] })).toBe(503);
    expect(statusOf({ errors: [coded('TOO_MANY_STREAMS'), coded('CAPACITY')] })).toBe(429);
    expect(statusOf({ errors: [coded('OUT_OF_MILK'), coded('BAD_CURSOR')] })).toBeUndefined();
  });
});

describe('an error of Yoga', () => {
  test('gets one of our codes, and keeps its place and its status', () => {
    const nodes = parse('{ a }').definitions[0]!;
    const http = { status: 405, headers: { Allow: 'POST' } };
    const error = new GraphQLError('m', { nodes, path: ['a'], extensions: { code: 'YOGA', http, more: 1 } });
    const coded = withProtocolCode(error);
    expect(coded.toJSON()).toEqual({
      message: 'm',
      locations: [{ line: 1, column: 1 }],
      path: ['a'],
      extensions: { code: 'BAD_USER_INPUT', http },
    });
    expect(withProtocolCode(new GraphQLError('m')).extensions).toEqual({ code: 'BAD_USER_INPUT' });
  });

  test('with one of our codes is returned unchanged', () => {
    const error = new GraphQLError('m', { extensions: { code: 'FORBIDDEN' } });
    expect(withProtocolCode(error)).toBe(error);
  });

  test('is sent without the fields that are meant for the server', () => {
    const extensions = { code: 'CAPACITY', http: { status: 503 } };
    expect(withoutHttp(new GraphQLError('m', { path: ['a'], extensions }))).toEqual({
      message: 'm',
      path: ['a'],
      extensions: { code: 'CAPACITY' },
    });
  });
});
