// The operations of health, metrics and pages.
import type { JsonSchema } from './json-schema.ts';

export function liveOperation(): JsonSchema {
  const responses = { 200: healthResponse('It is live.', { status: 'ok' }) };
  return operation('health', 'live', 'Whether the process is live', responses);
}

export function readyOperation(): JsonSchema {
  const ready = { status: 'ok', parts: { log: 'ok', database: 'ok' } };
  const unready = {
    status: 'unavailable',
    parts: { log: 'ok', database: 'database of executions is unavailable: connection refused' },
  };
  return operation('health', 'ready', 'Whether every part works', {
    200: healthResponse('All work.', ready),
    503: healthResponse(
      '`parts` contains the reason for each part that does not work. Or the server is stopping.',
      unready,
    ),
  });
}

export function metricsOperation(): JsonSchema {
  return operation('health', 'metrics', 'Metrics for Prometheus', {
    200: {
      description: 'The text format of Prometheus.',
      content: { 'text/plain': { schema: { type: 'string' } } },
    },
  });
}

export function consoleOperation(): JsonSchema {
  const responses = { 200: page('The console.') };
  return operation(
    'pages',
    'console',
    'A page that lists executions and follows one of them live',
    responses,
  );
}

export function docsOperation(): JsonSchema {
  const responses = { 200: page('The documentation, which loads nothing from other hosts.') };
  return operation('pages', 'docs', 'This document as a page', responses);
}

export function openApiOperation(): JsonSchema {
  return operation('pages', 'openApi', 'This document', {
    200: { description: 'OpenAPI 3.1.', content: { 'application/json': { schema: { type: 'object' } } } },
  });
}

function operation(tag: string, operationId: string, summary: string, responses: object): JsonSchema {
  return { tags: [tag], operationId, summary, responses };
}

function healthResponse(description: string, example: object): JsonSchema {
  const schema = { $ref: '#/components/schemas/Health' };
  return { description, content: { 'application/json': { schema, example } } };
}

function page(description: string): JsonSchema {
  return { description, content: { 'text/html': { schema: { type: 'string' } } } };
}
