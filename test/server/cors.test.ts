// Responses to OPTIONS, and the access of other sites' pages (PROTOCOL.md, "CORS").
import { request } from 'node:http';
import { describe, expect, test } from 'vitest';
import { createCors } from '../../src/server/cors.ts';
import { startGuarded } from '../auth/guarded.ts';
import { directLog, startApp } from '../support/app.ts';

const STATE = '/api/v0/executions/agents/a1';
const ORIGIN = 'https://a.example';

interface Sent {
  readonly status: number;
  readonly headers: NodeJS.Dict<string>;
}

/** Sends a request with headers that `fetch` forbids. */
function send(url: string, method: string, headers: Record<string, string> = {}): Promise<Sent> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method, headers, agent: false }, (response) => {
      response.destroy();
      resolve({ status: response.statusCode!, headers: response.headers as Sent['headers'] });
    });
    outgoing.on('error', reject);
    outgoing.end();
  });
}

const preflight = (url: string, origin = ORIGIN, method = 'GET') =>
  send(url, 'OPTIONS', { origin, 'access-control-request-method': method });

const corsOf = ({ headers }: Sent) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('access-control-')));

describe('PROTOCOL.md, CORS: OPTIONS', () => {
  const METHODS: [string, string][] = [
    ['/', 'GET, HEAD, OPTIONS'],
    ['/health/live', 'GET, HEAD, OPTIONS'],
    ['/openapi.json', 'GET, HEAD, OPTIONS'],
    [STATE, 'GET, PUT, HEAD, OPTIONS'],
    [`${STATE}/stream?events=complete`, 'GET, HEAD, OPTIONS'],
    [`${STATE}/events`, 'POST, OPTIONS'],
    ['/api/v0/stream-tokens', 'POST, OPTIONS'],
    ['/graphql', 'GET, POST, HEAD, OPTIONS'],
    ['/graphql/stream', 'GET, POST, PUT, DELETE, OPTIONS'],
  ];

  test.each([
    ['without CORS', {}, []],
    ['for an unlisted origin', { origin: 'https://evil.example' }, [ORIGIN]],
    ['for a page of the server', {}, [ORIGIN]],
    ['that is not a preflight', { origin: ORIGIN }, [ORIGIN]],
  ] as const)('OPTIONS %s responds 204 with the methods of the path', async (_, headers, corsOrigins) => {
    // Also without credentials.
    await using app = await startGuarded({ corsOrigins });
    for (const [path, allow] of METHODS) {
      const response = await send(app.url + path, 'OPTIONS', headers);
      expect([path, response.status, response.headers.allow]).toEqual([path, 204, allow]);
      expect(response.headers['access-control-allow-methods']).toBeUndefined();
    }
    for (const path of ['/nope', '/graphql/nope', '/api/v0/executions/agents', '/health']) {
      expect((await send(app.url + path, 'OPTIONS', headers)).status, path).toBe(404);
    }
  });

  test('a preflight of an unlisted origin has no CORS headers', async () => {
    await using app = await startApp({ corsOrigins: [ORIGIN] });
    for (const origin of ['https://evil.example', 'null', `${ORIGIN}.evil.example`, `${ORIGIN}:8443`]) {
      const response = await preflight(app.url + STATE, origin);
      expect([response.status, response.headers.allow]).toEqual([204, 'GET, PUT, HEAD, OPTIONS']);
      expect(corsOf(response)).toEqual({});
      expect(response.headers.vary).toBe('Origin');
    }
  });

  test('a preflight of a listed origin is 204 on every path, so that the page can read a 404', async () => {
    await using app = await startGuarded({ corsOrigins: [ORIGIN] });
    for (const path of [STATE, `${STATE}/events`, '/graphql', '/graphql/stream', '/nope']) {
      const response = await preflight(app.url + path, ORIGIN, 'PUT');
      expect(response.status).toBe(204);
      expect(response.headers['content-length']).toBe('0');
      expect(corsOf(response)).toEqual({
        'access-control-allow-origin': ORIGIN,
        'access-control-allow-credentials': 'true',
        'access-control-allow-methods': 'GET, POST, PUT, DELETE, OPTIONS',
        'access-control-allow-headers':
          'Accept, Content-Type, Content-Encoding, Last-Event-ID, Authorization, X-GraphQL-Event-Stream-Token, Publisher-Token, ' +
          'Idempotency-Key, Publisher-Head, Cache-Control, X-Requested-With, Apollo-Require-Preflight, ' +
          'traceparent, tracestate, baggage',
        'access-control-max-age': '7200',
      });
      expect(response.headers.vary).toBe('Origin');
    }
  });
});

describe('PROTOCOL.md, CORS: responses', () => {
  test('a listed origin may read Retry-After, WWW-Authenticate and Allow, also of a rejected request', async () => {
    await using app = await startGuarded({ corsOrigins: [ORIGIN] });
    for (const [path, method, status] of [
      [STATE, 'GET', 401],
      ['/graphql', 'POST', 401],
      ['/health/live', 'GET', 200],
      ['/nope', 'GET', 401],
    ] as const) {
      const response = await send(app.url + path, method, { origin: ORIGIN });
      expect(response.status).toBe(status);
      expect(corsOf(response)).toEqual({
        'access-control-allow-origin': ORIGIN,
        'access-control-allow-credentials': 'true',
        'access-control-expose-headers': 'Retry-After, WWW-Authenticate, Allow',
      });
      expect(response.headers.vary).toBe('Origin');
    }
    // A cache must not use this response for a page of another origin.
    const { headers } = await send(`${app.url}/openapi.json`, 'GET');
    expect(headers.vary).toBe('Origin');
  });

  test.each([
    ['Accept', 'Accept, Origin'],
    ['Accept, Accept-Encoding', 'Accept, Accept-Encoding, Origin'],
    ['accept,origin', 'accept,origin'],
    ['*', '*'],
  ])('Origin is added to the Vary of a handler: %s', (vary, expected) => {
    const { setHeaders } = createCors({ origins: [ORIGIN], isAuthenticated: false, basePath: '' });
    const headers = new Headers({ vary });
    setHeaders(new Request('http://127.0.0.1/openapi.json', { headers: { origin: ORIGIN } }), headers);
    expect(headers.get('vary')).toBe(expected);
  });

  test('`*` allows every origin without credentials', async () => {
    await using app = await startGuarded({ corsOrigins: ['*'] });
    const response = await preflight(app.url + STATE, 'https://any.example', 'PUT');
    expect(corsOf(response)).toMatchObject({
      'access-control-allow-origin': 'https://any.example',
      'access-control-allow-methods': 'GET, POST, PUT, DELETE, OPTIONS',
    });
    expect(response.headers['access-control-allow-credentials']).toBeUndefined();
  });

  test('without authentication, `*` does not allow every site to publish', async () => {
    await using app = await startApp({ corsOrigins: ['*'] });
    const methodsAt = async (path: string) =>
      corsOf(await preflight(app.url + path))['access-control-allow-methods'];
    expect(await methodsAt(STATE)).toBe('GET, POST, DELETE, OPTIONS');
    expect(await methodsAt('/graphql/stream')).toBe('GET, POST, PUT, DELETE, OPTIONS');
    await using listed = await startApp({ corsOrigins: [ORIGIN] });
    expect(corsOf(await preflight(listed.url + STATE))['access-control-allow-methods']).toContain('PUT');
  });

  test('CORS headers are set on event streams', async () => {
    await using app = await startApp({ corsOrigins: [ORIGIN] });
    await directLog(app);
    const response = await send(`${app.url}${STATE}/stream`, 'GET', { origin: ORIGIN });
    expect(response.headers).toMatchObject({
      'access-control-allow-origin': ORIGIN,
      'content-type': 'text/event-stream; charset=utf-8',
    });
  });
});
