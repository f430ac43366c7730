// The rules in the OpenAPI document are those of the parser: patterns of ids and cursors, bounds, closed bodies; and
// what generated clients need.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseCursor } from '../../src/event/cursor.ts';
import { EVENT_TYPES } from '../../src/event/events.ts';
import { checkExecutionId } from '../../src/event/execution-id.ts';
import { openApiDocument } from '../../src/rest/openapi/document.ts';
import { CURSOR, EXECUTION_ID } from '../../src/rest/openapi/schemas.ts';
import { streamParameters } from '../../src/rest/parameters.ts';
import { ROUTES } from '../../src/rest/routes.ts';
import { startApp } from '../support/app.ts';

// biome-ignore lint/suspicious/noExplicitAny: the document is accessed by its JSON paths.
type Json = any;

const DOCUMENT = JSON.parse(JSON.stringify(openApiDocument('1.2.3', ROUTES))) as Json;

function accepts(check: () => unknown): boolean {
  try {
    check();
    return true;
  } catch {
    return false;
  }
}

const matches = ({ pattern, maxLength = Infinity }: Json, text: string) =>
  new RegExp(pattern).test(text) && text.length <= maxLength;

describe('patterns', () => {
  const characters = fc.string({ unit: fc.constantFrom(...'aZ09._:~@+/- %é\n'), maxLength: 6 });
  const ids = [
    '',
    '.',
    '..',
    '...',
    '.a',
    '..a',
    'a/b',
    'a'.repeat(1_000),
    'a'.repeat(1_001),
    'a\n',
    'a\0',
    'é',
  ];

  test('the pattern of ids accepts what the parser accepts', () => {
    const compare = (id: string): void => {
      expect(matches(EXECUTION_ID, id), id).toBe(accepts(() => checkExecutionId(id)));
    };
    ids.forEach(compare);
    fc.assert(fc.property(characters, compare), { numRuns: 2_000 });
  });

  test('the pattern of cursors accepts what the parser accepts, and the empty cursor, which is absent', () => {
    const compare = (text: string): void => {
      expect(matches(CURSOR, text), text).toBe(text === '' || accepts(() => parseCursor(text)));
    };
    const epochs = [
      '',
      '-',
      '-k3f9ab01z',
      '-k3f9ab01zz',
      `-${'a'.repeat(16)}`,
      `-${'a'.repeat(17)}`,
      '-K3F9AB01ZZ',
    ];
    const seqs = [
      '0',
      '00',
      '01',
      '1',
      '42',
      '999999999999999',
      '8999999999999999',
      '9007199254740993',
      '-1',
      '1e3',
    ];
    for (const seq of seqs) for (const epoch of epochs) compare(seq + epoch);
    fc.assert(fc.property(fc.string({ unit: fc.constantFrom(...'019-az'), maxLength: 20 }), compare));
  });

  test('the parameters of a stream accept every documented value', () => {
    const { parameters } = DOCUMENT.paths['/api/v0/executions/agents/{id}/stream'].get;
    const schemaOf = (name: string) => parameters.find((each: Json) => each.name === name).schema;
    const parse = (query: string) => streamParameters(new Request(`http://localhost/?${query}`), 'a1');
    for (const data of schemaOf('data').enum) expect(parse(`data=${data}`).data).toBe(data);
    const { minimum, maximum, default: fallback } = schemaOf('poll_ms');
    for (const ms of [minimum, maximum]) expect(parse(`poll_ms=${ms}`).pollMs).toBe(ms);
    for (const ms of [minimum - 1, maximum + 1]) expect(accepts(() => parse(`poll_ms=${ms}`))).toBe(false);
    for (const ping of schemaOf('ping').enum) expect(parse(`ping=${ping}`).isPing).toBe(true);
    expect(accepts(() => parse('ping=comment'))).toBe(false);
    expect(parse('').pollMs).toBe(fallback);
    expect(parse('').data).toBe(schemaOf('data').default);
    expect(parse(`events=${schemaOf('events').items.enum}`).events).toEqual(EVENT_TYPES);
  });
});

describe('bodies and headers', () => {
  const bodies = Object.entries(DOCUMENT.paths as Json).flatMap(([path, item]) =>
    Object.entries(item as Json).flatMap(([method, { requestBody }]: Json) =>
      requestBody ? [[`${method} ${path}`, requestBody.content['application/json'].schema] as const] : [],
    ),
  );

  test('request bodies and their events are closed, and responses are open', () => {
    expect(bodies).toHaveLength(8);
    for (const [name, schema] of bodies) {
      expect(schema.additionalProperties, name).toBe(false);
      for (const event of schema.properties.events?.items.oneOf ?? []) {
        expect([event.title, event.additionalProperties, event.properties.data.additionalProperties]).toEqual(
          [event.title, false, false],
        );
      }
    }
    expect(JSON.stringify(DOCUMENT.components)).not.toContain('"additionalProperties":false');
  });

  test('every integer of a request body has bounds, because numbers that JavaScript cannot hold are rejected', () => {
    const unbounded: string[] = [];
    const visit = (value: Json, path: string): void => {
      if (typeof value !== 'object' || value === null) return;
      const { type, minimum, maximum } = value;
      if (type === 'integer' && (minimum ?? maximum) === undefined) unbounded.push(path);
      if (type === 'integer' && !(maximum <= Number.MAX_SAFE_INTEGER)) unbounded.push(path);
      for (const [name, inner] of Object.entries(value)) visit(inner, `${path}/${name}`);
    };
    for (const [name, schema] of bodies) visit(schema, name);
    expect(unbounded).toEqual([]);
    expect(JSON.stringify(bodies)).not.toContain('"$ref"');
  });

  test('the limits of Publisher-Head, attempts and header lengths are those of the server', async () => {
    await using app = await startApp();
    const path = `${app.url}/api/v0/executions/agents/a1`;
    const { properties } =
      DOCUMENT.paths['/api/v0/executions/agents/{id}'].put.requestBody.content['application/json'].schema;
    const begin = (body: object) =>
      fetch(path, { method: 'PUT', body: JSON.stringify({ mode: 'TEXT', ...body }) });
    expect((await begin({ attempt: properties.attempt.maximum + 1 })).status).toBe(400);
    expect((await begin({ parentId: 'a\0' })).status).toBe(400);
    const { token } = (await (await begin({})).json()) as { token: string };
    const { parameters } = DOCUMENT.paths['/api/v0/executions/agents/{id}/events'].post;
    const schemaOf = (name: string) => parameters.find((each: Json) => each.name === name).schema;
    const heartbeat = async (headers: Record<string, string>) => {
      const all = { 'Publisher-Token': token, 'Idempotency-Key': 'k', ...headers };
      return (await fetch(`${path}/events`, { method: 'POST', headers: all, body: '{"events":[]}' })).status;
    };
    const { attempt } = bodies.find(([name]) => name.startsWith('post'))![1].properties;
    const late = { method: 'POST', body: JSON.stringify({ events: [], attempt: attempt.maximum + 1 }) };
    const sent = { ...late, headers: { 'Publisher-Token': token, 'Idempotency-Key': 'late' } };
    expect((await fetch(`${path}/events`, sent)).status).toBe(422);
    const { minimum, maximum } = schemaOf('Publisher-Head');
    expect(await heartbeat({ 'Publisher-Head': `${minimum}` })).toBe(200);
    expect(await heartbeat({ 'Publisher-Head': `${minimum - 1}` })).toBe(400);
    expect(await heartbeat({ 'Publisher-Head': `${maximum + 1}` })).toBe(400);
    const { maxLength } = schemaOf('Idempotency-Key');
    expect(await heartbeat({ 'Idempotency-Key': 'k'.repeat(maxLength) })).toBe(200);
    expect(await heartbeat({ 'Idempotency-Key': 'k'.repeat(maxLength + 1) })).toBe(400);
    // The last one: the server takes the log for one that was restored to an older state.
    expect(await heartbeat({ 'Publisher-Head': `${maximum}` })).toBe(409);
  });
});

test('the health of a draining server has a documented status', async () => {
  await using app = await startApp();
  app.services.streams.drain();
  const response = await app.request('/health/ready');
  const { status } = (await response.json()) as { status: string };
  expect(DOCUMENT.components.schemas.Health.properties.status.enum).toContain(status);
});

describe('what generated clients need', () => {
  const streams = Object.entries(DOCUMENT.paths as Json).flatMap(([path, item]: Json) =>
    path.endsWith('/stream') ? [item.get.responses] : [],
  );

  test('a stream has no JSON type, which clients of OpenAPI Generator would send as their only Accept', () => {
    expect(streams).toHaveLength(3);
    for (const responses of streams) {
      const types = Object.values(responses).flatMap(({ content = {} }: Json) => Object.keys(content));
      expect([...new Set(types)]).toEqual(['text/event-stream', 'application/*']);
    }
  });

  test('the body of a stream has no type: some clients return text, others parsed data', () => {
    for (const responses of streams) {
      expect(responses[200].content['text/event-stream'].schema).not.toHaveProperty('type');
      expect(responses[200].content['text/event-stream'].schema).not.toHaveProperty('contentMediaType');
    }
  });
});
