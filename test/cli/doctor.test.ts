// `execstream doctor` against a server directly, and through proxies that buffer, compress, cut, or change requests.
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createGzip } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { freePort } from '../../scripts/server-process.ts';
import { formatFinding } from '../../src/cli/commands/doctor.ts';
import { corsFinding } from '../../src/cli/doctor/check-cors.ts';
import { idleFinding } from '../../src/cli/doctor/check-idle.ts';
import { pathFinding } from '../../src/cli/doctor/check-paths.ts';
import { protocolFinding } from '../../src/cli/doctor/check-protocol.ts';
import { resumeFinding } from '../../src/cli/doctor/check-resume.ts';
import { clockFinding } from '../../src/cli/doctor/check-server.ts';
import { type StreamMeasurement, streamingFindings } from '../../src/cli/doctor/check-streaming.ts';
import type { Finding, Target } from '../../src/cli/doctor/finding.ts';
import { runChecks } from '../../src/cli/doctor/run-checks.ts';
import { PLAIN } from '../../src/cli/view/style.ts';
import { type ListeningApp, startApp } from '../support/app.ts';
import { describeNginx, startNginx } from '../support/nginx.ts';
import { execstream } from './execstream.ts';

vi.setConfig({ testTimeout: 60_000 });

let app: ListeningApp;
beforeEach(async () => {
  app = await startApp({ corsOrigins: ['https://app.example'] });
});
afterEach(() => app.close());

type Diagnosis = Record<string, Finding>;

async function diagnose(url: string, options: Partial<Target> = {}): Promise<Diagnosis> {
  const target = { token: undefined, origin: undefined, isThorough: false, ...options, url };
  const findings: Diagnosis = {};
  for await (const finding of runChecks(target)) findings[finding.check] = finding;
  return findings;
}

const verdicts = (diagnosis: Diagnosis) =>
  Object.fromEntries(Object.values(diagnosis).map(({ check, verdict }) => [check, verdict]));

const ALL_OK = {
  ...{ server: 'ok', parts: 'ok', authentication: 'ok', clock: 'ok', streaming: 'ok', resume: 'ok' },
  ...{ connections: 'ok', cors: 'skipped', paths: 'ok', idle: 'skipped' },
} as const;

async function endedExecution(): Promise<void> {
  const run = await app.publisher.begin({ id: 'a1', kind: 'agent' });
  await run.text('hello');
  await run.complete();
}

interface ProxyBehaviour {
  /** Changes the request's headers and path. */
  readonly change?: (headers: Record<string, unknown>, path: string) => string;
  /** Writes the body of the server to the client. */
  readonly relay?: (from: IncomingMessage, to: ServerResponse, incoming: IncomingMessage) => void;
  /** Responds instead of the server. */
  readonly respond?: (incoming: IncomingMessage, to: ServerResponse) => boolean;
}

/** A proxy in front of the server. */
async function startProxy({ change, relay, respond }: ProxyBehaviour) {
  const proxy = createServer((incoming, outgoing) => {
    if (respond?.(incoming, outgoing)) return;
    const headers: Record<string, unknown> = { ...incoming.headers };
    const path = change?.(headers, incoming.url!) ?? incoming.url!;
    const { hostname, port } = new URL(app.url);
    const { method } = incoming;
    const upstream = request({ hostname, port, path, method, headers: headers as never }, (response) => {
      if (relay && response.headers['content-type']?.startsWith('text/event-stream')) {
        relay(response, outgoing, incoming);
        return;
      }
      outgoing.writeHead(response.statusCode!, response.headers);
      response.pipe(outgoing);
    });
    upstream.on('error', () => outgoing.destroy());
    outgoing.on('close', () => upstream.destroy());
    incoming.pipe(upstream);
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      proxy.closeAllConnections();
      await new Promise((resolve) => proxy.close(resolve));
    },
  };
}

describe('directly', () => {
  test('a server without a fault gets no problem and no warning', async () => {
    await endedExecution();
    expect(verdicts(await diagnose(app.url))).toEqual(ALL_OK);
  });

  test('resuming cannot be checked without an execution', async () => {
    expect((await diagnose(app.url)).resume).toMatchObject({
      verdict: 'skipped',
      message: expect.stringContaining('there is no execution'),
    });
  });

  test('an execution that has not ended is enough to check resuming', async () => {
    const run = await app.publisher.begin({ id: 'a1', kind: 'agent' });
    await run.text('hello');
    expect((await diagnose(app.url)).resume).toMatchObject({
      verdict: 'ok',
      message: 'a request with a cursor gets the events after it',
    });
  });

  test('a listed origin may use the server, and any other one is a problem with its solution', async () => {
    expect((await diagnose(app.url, { origin: 'https://app.example' })).cors!.verdict).toBe('ok');
    expect((await diagnose(app.url, { origin: 'https://other.example' })).cors).toEqual({
      check: 'cors',
      verdict: 'problem',
      message: 'pages of https://other.example may not use the server',
      advice: 'set CORS_ORIGINS=https://other.example for the server (with those that it has already)',
    });
    expect((await diagnose(app.url, { origin: app.url })).cors!.verdict).toBe('ok');
  });

  test('a token is required, rejected or accepted', async () => {
    await app.close();
    const authenticate = (incoming: Request) =>
      incoming.headers.get('authorization') === 'Bearer good'
        ? ({ id: 'ann', scopes: ['read', 'publish'] } as const)
        : undefined;
    app = await startApp({ auth: { authenticate } });
    await endedExecution();
    const missing = await diagnose(app.url);
    expect(verdicts(missing)).toMatchObject({
      authentication: 'problem',
      streaming: 'skipped',
      resume: 'skipped',
    });
    expect(missing.authentication!.advice).toContain('EXECSTREAM_TOKEN');
    expect((await diagnose(app.url, { token: 'bad' })).authentication).toMatchObject({
      verdict: 'problem',
      message: 'the token is rejected with status 401',
    });
    expect(verdicts(await diagnose(app.url, { token: 'good' }))).toEqual(ALL_OK);
  });

  test('heartbeats of an idle stream arrive', async () => {
    await app.close();
    app = await startApp({ settings: { heartbeatMs: 500 } });
    expect((await diagnose(app.url, { isThorough: true })).idle).toMatchObject({
      verdict: 'ok',
      message: expect.stringMatching(/^heartbeats arrive every 0\.\d s, and the stream stays open$/),
    });
  });
});

describe('through a proxy', () => {
  test('one that buffers is found', async () => {
    // Until it has 64 KiB, as many do.
    await using proxy = await startProxy({
      relay: (from, to) => {
        const { 'transfer-encoding': _, ...headers } = from.headers;
        to.writeHead(from.statusCode!, { ...headers, server: 'buffering-proxy' });
        to.flushHeaders();
        const parts: Buffer[] = [];
        from.on('data', (part: Buffer) => parts.push(part));
        from.on('end', () => to.end(Buffer.concat(parts)));
      },
    });
    expect((await diagnose(proxy.url)).streaming).toEqual({
      check: 'streaming',
      verdict: 'problem',
      message: 'a proxy (buffering-proxy) buffers streams: not even the first bytes arrive within 1.5 s',
      advice: expect.stringContaining('proxy_buffering off'),
    });
  });

  test('one that holds back even the head of the response is found', async () => {
    await using proxy = await startProxy({ relay: (from) => void from.resume() });
    expect((await diagnose(proxy.url)).streaming).toMatchObject({
      verdict: 'problem',
      message: expect.stringContaining('buffers streams'),
    });
  });

  test('one whose compression holds messages back is found, and is not taken for one that buffers', async () => {
    await using proxy = await startProxy({
      relay: (from, to, incoming) => {
        const { 'transfer-encoding': _, ...headers } = from.headers;
        if (!incoming.headers['accept-encoding']?.includes('gzip')) {
          to.writeHead(200, headers);
          from.pipe(to);
          return;
        }
        to.writeHead(200, { ...headers, 'content-encoding': 'gzip' });
        to.flushHeaders();
        from.pipe(createGzip()).pipe(to);
      },
    });
    expect((await diagnose(proxy.url)).streaming).toMatchObject({
      verdict: 'problem',
      message: expect.stringMatching(/^a proxy compresses streams \(gzip\), and holds messages back/),
      advice: expect.stringContaining('do not compress text/event-stream'),
    });
  });

  test('one that closes idle streams is found', async () => {
    await using proxy = await startProxy({
      relay: (from, to) => {
        to.writeHead(200, from.headers);
        from.pipe(to);
        setTimeout(() => to.destroy(), 1_500);
      },
    });
    expect((await diagnose(proxy.url, { isThorough: true })).idle).toMatchObject({
      verdict: 'problem',
      message: expect.stringMatching(/^something closes a stream after 1\.\d s without a message$/),
      advice: expect.stringContaining('above HEARTBEAT_MS'),
    });
  });

  test('one that removes the cursor is found', async () => {
    await endedExecution();
    await using proxy = await startProxy({
      change: (headers, path) => {
        delete headers['last-event-id'];
        return path;
      },
    });
    expect((await diagnose(proxy.url)).resume).toMatchObject({
      verdict: 'problem',
      advice: expect.stringContaining('removes the Last-Event-ID header'),
    });
  });

  test('one that decodes paths is found', async () => {
    await using proxy = await startProxy({ change: (_, path) => path.replaceAll('%2F', '/') });
    expect((await diagnose(proxy.url)).paths!.verdict).toBe('warning');
  });

  test('one that responds to preflights is found', async () => {
    await using proxy = await startProxy({
      respond: (incoming, outgoing) => {
        if (incoming.method !== 'OPTIONS') return false;
        outgoing.writeHead(204).end();
        return true;
      },
    });
    expect((await diagnose(proxy.url, { origin: 'https://app.example' })).cors).toMatchObject({
      verdict: 'problem',
      message: 'a preflight for https://app.example gets status 204 without permission',
    });
  });

  test('a reservation that another process has is tried again', async () => {
    const other = await startApp();
    let count = 0;
    await using proxy = await startProxy({
      // Every second request reaches a server that does not know the reservation.
      respond: (incoming, outgoing) => {
        if (!incoming.url!.startsWith('/graphql/stream') || count++ % 2 === 0) return false;
        const { hostname, port } = new URL(other.url);
        const { url: path, method, headers } = incoming;
        incoming.pipe(
          request({ hostname, port, path, method, headers }, (response) => {
            outgoing.writeHead(response.statusCode!, response.headers);
            response.pipe(outgoing);
          }),
        );
        return true;
      },
    });
    expect((await diagnose(proxy.url)).streaming!.verdict).toBe('ok');
    await other.close();
  });
});

describeNginx('through nginx', () => {
  const upstream = () => Number(new URL(app.url).port);

  test('as documented, it gets no problem and no warning', async () => {
    await endedExecution();
    await using nginx = await startNginx(upstream());
    expect(verdicts(await diagnose(nginx.url))).toEqual(ALL_OK);
  });

  test('with buffering, the buffering is found', async () => {
    // Over HTTP/1.1, nginx passes chunks on also with buffering; 1.0 is the default of many versions.
    await using nginx = await startNginx(upstream(), {
      'proxy_buffering off;': 'proxy_buffering on; proxy_ignore_headers X-Accel-Buffering;',
      'proxy_http_version 1.1;': 'proxy_http_version 1.0;',
    });
    expect((await diagnose(nginx.url)).streaming).toMatchObject({
      verdict: 'problem',
      message: expect.stringMatching(/^a proxy \(nginx.*\) buffers streams: /),
      advice: expect.stringContaining('"proxy_buffering off;"'),
    });
  });

  test('with gzip, the compression is found', async () => {
    const gzip = 'gzip on; gzip_proxied any; gzip_min_length 0; gzip_types text/event-stream;';
    await using nginx = await startNginx(upstream(), {
      'proxy_buffering off;': `proxy_buffering off; ${gzip}`,
    });
    const diagnosis = await diagnose(nginx.url);
    expect(diagnosis.compression).toMatchObject({
      verdict: 'warning',
      message: expect.stringMatching(/^a proxy \(nginx.*\) compresses streams \(gzip\)/),
      advice: expect.stringContaining('gzip_types'),
    });
  });

  test('with gzip that holds messages back, the compression is found', async () => {
    const gzip = 'gzip on; gzip_proxied any; gzip_min_length 0; gzip_types text/event-stream;';
    const buffering = 'proxy_buffering on; proxy_ignore_headers X-Accel-Buffering;';
    await using nginx = await startNginx(upstream(), { 'proxy_buffering off;': `${buffering} ${gzip}` });
    expect((await diagnose(nginx.url)).streaming).toMatchObject({
      verdict: 'problem',
      message: expect.stringMatching(/^a proxy \(nginx.*\) compresses streams, and holds messages back/),
    });
  });

  test('with a short read timeout, the timeout is found', async () => {
    await using nginx = await startNginx(upstream(), {
      'proxy_read_timeout 120s;': 'proxy_read_timeout 2s;',
    });
    expect((await diagnose(nginx.url, { isThorough: true })).idle).toMatchObject({
      verdict: 'problem',
      message: expect.stringMatching(/^something closes a stream after [12](\.\d)? s without a message$/),
    });
  });
});

describe('findings', () => {
  const prompt: StreamMeasurement = {
    ...{ coding: undefined, server: undefined, contentType: 'text/event-stream; charset=utf-8' },
    ...{ hasOpened: true, delaysMs: [3, 4.2, 2] },
  };

  test('messages that arrive are ok, also if they are compressed', () => {
    expect(streamingFindings(prompt)).toMatchObject([
      { verdict: 'ok', message: 'messages arrive within 5 ms' },
    ]);
    expect(streamingFindings({ ...prompt, coding: 'br' }).map(({ verdict }) => verdict)).toEqual([
      'ok',
      'warning',
    ]);
  });

  test('another content type is a problem', () => {
    expect(streamingFindings({ ...prompt, contentType: 'text/html' })).toMatchObject([
      { verdict: 'problem', message: 'expected text/event-stream, got text/html' },
    ]);
  });

  test.each([
    [0, 500, 'ok', 'the clocks of client and server agree'],
    [4_000, 4_500, 'ok', 'the clocks of client and server agree'],
    [60_000, 60_500, 'warning', 'the clock of the server is 60 s slow, compared with this machine'],
    [-60_000, -59_500, 'warning', 'the clock of the server is 60 s fast, compared with this machine'],
  ])('a request sent at %d ms by the clock of the server is %s', (sentAt, receivedAt, verdict, message) => {
    const finding = clockFinding(0, sentAt, receivedAt);
    expect(finding.verdict).toBe(verdict);
    expect(finding.message.replace(/5\d s|6\d s/, '60 s')).toBe(message);
  });

  test.each([
    [204, undefined, 'ok'],
    [200, '2-k3f9ab01zz', 'ok'],
    [200, undefined, 'ok'],
    [200, '1-k3f9ab01zz', 'problem'],
    [502, undefined, 'problem'],
  ])('a resumed request with status %s and the first id %s is %s', (status, next, verdict) => {
    expect(resumeFinding('1-k3f9ab01zz', status, next).verdict).toBe(verdict);
  });

  test('HTTP/2 is ok, HTTP/1.1 limits the tabs of a browser', () => {
    expect(protocolFinding('h2').verdict).toBe('ok');
    expect(protocolFinding('http/1.1')).toMatchObject({
      verdict: 'warning',
      advice: expect.stringContaining('http2 on'),
    });
    expect(protocolFinding(undefined).verdict).toBe('skipped');
  });

  test('an idle stream without heartbeats, or with rare ones, is not ok', () => {
    expect(idleFinding({ intervalsMs: [], endedAfterMs: undefined }).verdict).toBe('problem');
    expect(idleFinding({ intervalsMs: [59_970, 60_010], endedAfterMs: undefined })).toMatchObject({
      verdict: 'warning',
      advice: expect.stringContaining('heartbeatMs: 60000'),
    });
  });

  const cors = {
    ...{ origin: 'https://a.example', preflightStatus: 204 },
    preflight: {
      'access-control-allow-origin': 'https://a.example',
      'access-control-allow-headers': 'Authorization, Content-Type, Last-Event-ID',
    },
    response: { 'access-control-allow-origin': 'https://a.example' },
  };

  test.each([
    [cors, 'ok', 'may use the server'],
    [{ ...cors, response: {} }, 'problem', 'but the response to the request does not'],
    [
      { ...cors, response: { 'access-control-allow-origin': '*, https://a.example' } },
      'problem',
      'several origins',
    ],
    [
      { ...cors, preflight: { 'access-control-allow-origin': '*' } },
      'problem',
      'may not send authorization, content-type, last-event-id',
    ],
  ])('CORS %#', (measured, verdict, message) => {
    expect(corsFinding(measured)).toMatchObject({ verdict, message: expect.stringContaining(message) });
  });

  test('a path that does not reach the server cannot be checked', () => {
    expect(pathFinding(401, '').verdict).toBe('skipped');
  });
});

describe('the command', () => {
  test('paragraphs are wrapped to the width of a terminal', () => {
    const finding: Finding = {
      check: 'cors',
      verdict: 'problem',
      message: 'a b c '.repeat(9).trim(),
      advice: 'd '.repeat(30).trim(),
    };
    const rows = formatFinding(finding, PLAIN, 60).trimEnd().split('\n');
    expect(rows.length).toBeGreaterThan(3);
    for (const row of rows) expect(row.length).toBeLessThanOrEqual(60);
    expect(rows[1]).toMatch(/^ {25}\S/);
    expect(formatFinding(finding, PLAIN).trimEnd().split('\n')).toHaveLength(2);
  });

  test('prints a line for each finding, the advice and a summary, and exits with 1 for a problem', async () => {
    const good = await execstream(`doctor ${app.url}`);
    expect([good.code, good.stderr]).toEqual([0, '']);
    expect(good.stdout).toMatch(/^ok {7}server {10}execstream \d/);
    expect(good.stdout).toMatch(/\n0 problems, 0 warnings\n$/);
    const bad = await execstream(`doctor ${app.url} --origin https://other.example/page`);
    expect(bad.code).toBe(1);
    expect(bad.stdout).toContain(
      'problem  cors            pages of https://other.example may not use the server\n' +
        '                         → set CORS_ORIGINS=https://other.example for the server',
    );
    const json = await execstream('doctor --json', { EXECSTREAM_URL: app.url });
    const findings = json.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(findings[0]).toMatchObject({ check: 'server', verdict: 'ok' });
  });

  test('a server that is not there exits with 8, and wrong arguments with 2', async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    expect(await execstream(`doctor ${url}`)).toEqual({
      code: 8,
      stdout: '',
      stderr: `execstream: cannot reach ${url}: connection refused\n`,
    });
    expect((await execstream('doctor localhost:4000')).stderr).toBe(
      'execstream: url: expected a URL that begins with http:// or https://, got "localhost:4000"\n',
    );
    expect((await execstream(`doctor ${url} --origin app`)).code).toBe(2);
  });

  test('a server of something else exits with 8', async () => {
    await using proxy = await startProxy({
      respond: (_, outgoing) => {
        outgoing.writeHead(200, { 'content-type': 'text/html', server: 'other/1.0' }).end('<h1>hello</h1>');
        return true;
      },
    });
    expect(await execstream(`doctor ${proxy.url}`)).toEqual({
      code: 8,
      stdout: '',
      stderr: `execstream: ${proxy.url}: expected an execstream server, got status 200 by other/1.0 for /openapi.json\n`,
    });
  });
});
