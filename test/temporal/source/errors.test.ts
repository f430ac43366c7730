// How failed calls to Temporal are classified and reported, without a server.
import { expect, test } from 'vitest';
import { toTemporalError, toViewerError, toWarning } from '../../../src/temporal/source/errors.ts';

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
  ['a paused workflow', wrapped('QueryRejectedError', 'rejected'), 'query', 'query-failed'],
  ['no worker', wrapped('ServiceError', 'failed', grpc(9, 'no poller seen')), 'query', 'no-worker'],
  ['a slow worker', wrapped('ServiceError', 'failed', grpc(4, 'deadline')), 'query', 'slow-worker'],
  ['a server that does not respond to a read', grpc(4, 'deadline'), 'read', 'unavailable'],
  [
    'a server that is unreachable',
    wrapped('ServiceError', 'failed', grpc(14, 'refused')),
    'query',
    'unavailable',
  ],
  ['an overloaded server', grpc(8, 'busy'), 'query', 'unavailable'],
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

test('viewers see what is wrong, and not the message of Temporal', () => {
  const warning = toWarning(toTemporalError(grpc(3, 'TypeError: hunter2'), 'query'));
  expect(warning.code).toBe('QUERY_FAILED');
  expect(
    JSON.stringify([warning, toViewerError(toTemporalError(grpc(7, 'hunter2'), 'read')).message]),
  ).not.toContain('hunter2');
});
