// How failed calls to Temporal are classified and reported, without a server.
import { expect, test } from 'vitest';
import {
  isTransient,
  toTemporalError,
  toViewerError,
  toWarning,
} from '../../../src/temporal/source/errors.ts';

/** An error as gRPC throws it. */
function grpc(code: number, details: string): Error {
  return Object.assign(new Error(`${code} X: ${details}`), { code, details });
}

/** An error as the client wraps it. */
function wrapped(name: string, message: string, cause?: Error): Error {
  return Object.assign(new Error(message, { cause }), { name });
}

test.each([
  ['an unknown workflow', grpc(5, 'workflow not found for ID: x'), 'read', 'unknown-workflow'],
  ['the same, from the client', wrapped('WorkflowNotFoundError', 'gone'), 'query', 'unknown-workflow'],
  ['an unknown namespace', grpc(5, 'Namespace nope is not found.'), 'read', 'unknown-namespace'],
  ['the same, from the client', wrapped('NamespaceNotFoundError', 'nope'), 'query', 'unknown-namespace'],
  ['an invalid run id', grpc(3, 'Invalid RunId.'), 'read', 'unknown-workflow'],
  ...[
    'Workflow did not register a handler for getStreamState. Registered queries: []',
    'unknown queryType getStreamState. KnownQueryTypes=[__stack_trace]',
    "Query handler for 'getStreamState' expected but not found, known queries: []",
    'Unknown query type: getStreamState, knownTypes=[]',
  ].map(
    (message) =>
      [
        'no handler',
        wrapped('QueryNotRegisteredError', message, grpc(3, message)),
        'query',
        'no-query',
      ] as const,
  ),
  ['a handler that threw', grpc(3, 'TypeError: x is undefined'), 'query', 'query-failed'],
  ['a result that is too large', grpc(3, 'query result too large'), 'query', 'query-failed'],
  ['a paused workflow', wrapped('QueryRejectedError', 'rejected'), 'query', 'not-ready'],
  [
    'a workflow whose task fails',
    grpc(9, 'Unable to query workflow due to Workflow Task in failed state.'),
    'query',
    'not-ready',
  ],
  ['a workflow that has not started', grpc(9, 'Workflow task is not scheduled yet.'), 'query', 'not-ready'],
  [
    'a full query buffer',
    wrapped(
      'ServiceError',
      'failed',
      grpc(8, 'consistent query buffer is full, this may be caused by too many queries'),
    ),
    'query',
    'busy',
  ],
  ['a query that the server dropped', grpc(14, 'buffered query cleared, please retry'), 'query', 'busy'],
  ['a busy workflow', grpc(8, 'Workflow is busy.'), 'read', 'busy'],
  ['a rate limit for queries', grpc(8, 'namespace rate limit exceeded'), 'query', 'rate-limited'],
  ['a rate limit for reads', grpc(8, 'service rate limit exceeded'), 'read', 'rate-limited'],
  [
    'a response above the limit of the connection',
    grpc(8, 'Received message larger than max'),
    'query',
    'query-failed',
  ],
  [
    'a page above the limit of the connection',
    grpc(8, 'Received message larger than max'),
    'read',
    'unavailable',
  ],
  [
    'a result without a codec',
    wrapped('ValueError', 'Unknown encoding: binary/encrypted'),
    'query',
    'undecodable',
  ],
  ['an aborted query', wrapped('AbortError', 'aborted'), 'query', 'unavailable'],
  ['no worker', wrapped('ServiceError', 'failed', grpc(9, 'no poller seen')), 'query', 'no-worker'],
  ['a slow worker', wrapped('ServiceError', 'failed', grpc(4, 'deadline')), 'query', 'slow-worker'],
  ['a server that does not respond to a read', grpc(4, 'deadline'), 'read', 'unavailable'],
  [
    'a server that is unreachable',
    wrapped('ServiceError', 'failed', grpc(14, 'refused')),
    'query',
    'unavailable',
  ],
  ['a missing permission', grpc(7, 'Request unauthorized.'), 'read', 'denied'],
  ['invalid credentials', grpc(16, 'who?'), 'read', 'denied'],
  ['an encoded result', wrapped('ValueError', 'Unknown encoding: binary/encrypted'), 'query', 'undecodable'],
  ['anything else', new TypeError('x'), 'read', 'unavailable'],
] as const)('%s is classified', (_, error, call, condition) => {
  expect(toTemporalError(error, call).condition).toBe(condition);
});

test('the first request is NOT_FOUND only for what Temporal does not know; other errors are transient', () => {
  const codes = [grpc(5, 'workflow not found'), grpc(7, 'no'), grpc(14, 'unavailable')].map(
    (error) => toViewerError(toTemporalError(error, 'read')).code,
  );
  expect(codes).toEqual(['NOT_FOUND', 'SOURCE_UNAVAILABLE', 'SOURCE_UNAVAILABLE']);
});

test('the first request of a rate-limited server names the limit', () => {
  const error = toViewerError(toTemporalError(grpc(8, 'namespace rate limit exceeded'), 'read'));
  expect(error).toMatchObject({ code: 'SOURCE_UNAVAILABLE', message: expect.stringContaining('rate') });
});

test('only a failure that the same call may recover from is transient', () => {
  const isTransientCode = (code: number, details: string) =>
    isTransient(toTemporalError(grpc(code, details), 'read'));
  expect([
    isTransientCode(8, 'limit'),
    isTransientCode(8, 'Workflow is busy.'),
    isTransientCode(14, 'x'),
  ]).toEqual([true, true, true]);
  expect([isTransientCode(5, 'workflow not found'), isTransient(new Error('x'))]).toEqual([false, false]);
});

test('viewers see what is wrong, and not the message of Temporal', () => {
  const warning = toWarning(toTemporalError(grpc(3, 'TypeError: hunter2'), 'query'));
  expect(warning.code).toBe('QUERY_FAILED');
  expect(
    JSON.stringify([warning, toViewerError(toTemporalError(grpc(7, 'hunter2'), 'read')).message]),
  ).not.toContain('hunter2');
});
