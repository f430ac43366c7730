// A stopping server accepts nothing new, rotates every stream and finishes responses (PROTOCOL.md, "Reconnecting").
import { Server } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import type { Permission } from '../../src/execution/permission.ts';
import { createMemoryLog } from '../../src/log/memory.ts';
import { chunk, createApp, directLog, EVENT_STREAM, graphqlPath, startApp } from '../support/app.ts';
import { createMemoryStore } from '../support/memory-store.ts';
import { openSse } from '../support/sse.ts';
import { restUrl } from './reader.ts';

const SUBSCRIPTION = graphqlPath('subscription { agentStream(id: "a1") { seq } }');

describe('PROTOCOL.md, Reconnecting: drain', () => {
  test('streams break off with their cursor and without `complete`, and the listener is closed', async () => {
    const app = await startApp();
    const log = await directLog(app);
    await log.append(chunk('a'));
    using graphql = await openSse(app.url + SUBSCRIPTION);
    using rest = await openSse(`${restUrl(app.url, 'a1')}?events=complete`);
    await graphql.take(1);
    const from = performance.now();
    await app.close();
    expect(performance.now() - from).toBeLessThan(2_000);
    expect([await graphql.ended(), await rest.ended()]).toEqual(['aborted', 'aborted']);
    expect(graphql.frames.map(({ event }) => event)).toEqual(['next']);
    expect(log.masked(rest.text)).toBe('retry: 1000\n:\n\nid: 1-EPOCH\n\n');
    await expect(openSse(restUrl(app.url, 'a1'))).rejects.toThrow('ECONNREFUSED');
  });

  test('a request in flight gets a stream that ends cleanly, and is not cut off', async () => {
    let respond: (permission: Permission) => void = () => {};
    let isAuthorizing = false;
    const app = await startApp({
      authorize: () => {
        isAuthorizing = true;
        return new Promise((resolve) => {
          respond = resolve;
        });
      },
    });
    const log = await directLog(app);
    await log.append(chunk('a'));
    const opening = openSse(restUrl(app.url, 'a1'), { lastEventId: '1' });
    await expect.poll(() => isAuthorizing).toBe(true);
    const closing = app.close();
    respond({ read: 'granted' });
    using stream = await opening;
    expect(stream.status).toBe(200);
    expect(await stream.ended()).toBe('aborted');
    expect(stream.frames).toEqual([]);
    const from = performance.now();
    await closing;
    expect(performance.now() - from).toBeLessThan(2_000);
  });

  test('idle keep-alive connections, and those never used, do not delay the stop', async () => {
    const app = await startApp();
    await directLog(app);
    const { port } = new URL(app.url);
    const silent = connect(Number(port), '127.0.0.1');
    await new Promise((resolve) => silent.once('connect', resolve));
    silent.on('error', () => {});
    // Node's fetch keeps its connections alive.
    const idle = await fetch(`${app.url}/health/live`);
    await idle.text();
    const stream = await fetch(restUrl(app.url, 'a1'), { headers: EVENT_STREAM });
    const from = performance.now();
    await app.close();
    expect(performance.now() - from).toBeLessThan(2_000);
    await expect(stream.text()).rejects.toThrow('terminated');
  });

  test('a stopping server is live but not ready', async () => {
    await using app = createApp();
    expect((await app.request('/health/ready')).status).toBe(200);
    app.services.streams.drain();
    const ready = await app.request('/health/ready');
    expect([ready.status, await ready.json()]).toEqual([503, { status: 'draining' }]);
    expect((await app.request('/health/live')).status).toBe(200);
  });

  test('many streams are rotated gradually, within the deadline', async () => {
    const app = await startApp({ drainMs: 1_000 });
    await directLog(app);
    const streams = await Promise.all(Array.from({ length: 300 }, () => openSse(restUrl(app.url, 'a1'))));
    const ends: number[] = [];
    const began = performance.now();
    const ended = streams.map((stream) => stream.ended().then(() => ends.push(performance.now() - began)));
    await app.close();
    await Promise.all(ended);
    // 300 streams at 500 per second take about 600 ms; without jitter, all would end at the same moment.
    expect(Math.max(...ends) - Math.min(...ends)).toBeGreaterThan(200);
  });

  test('a repeated close waits for the first one, and does not close the parts of open streams', async () => {
    const app = await startApp({ drainMs: 500 });
    await directLog(app);
    const streams = await Promise.all(Array.from({ length: 250 }, () => openSse(restUrl(app.url, 'a1'))));
    let open = streams.length;
    const ended = streams.map((stream) => stream.ended().then(() => (open -= 1)));
    const openAtClose: number[] = [];
    const { close } = app.services;
    Object.assign(app.services, {
      close: () => {
        openAtClose.push(open);
        return close();
      },
    });
    await Promise.all([app.close(), app.close()]);
    await Promise.all(ended);
    // Once by the server, and once by each close of the test's app.
    expect(openAtClose).toHaveLength(3);
    expect(Math.max(...openAtClose)).toBeLessThan(100);
  });

  test('the leases of sources are released, so another server does not wait for their expiry', async () => {
    const log = createMemoryLog();
    const store = createMemoryStore();
    const rowSource = { leaseMs: 60_000, standbyMs: 50 };
    const first = await startApp({ log, store, rowSource });
    await store.begin({ id: 'a1', kind: 'agent', mode: 'TEXT' });
    using one = await openSse(restUrl(first.url, 'a1'));
    await one.until(() => one.frames.length > 0, 'the start event from the row');
    await using second = await startApp({ log, store, rowSource });
    using two = await openSse(restUrl(second.url, 'a1'));
    await two.until(() => two.frames.length > 0, 'the start event from the row');
    await first.close();
    await store.setStatus('a1', 1, 'WAITING');
    await two.until(() => two.text.includes('WAITING'), 'the next status, by the second server', 5_000);
    await log.close();
  });

  test("a stream is not limited by Node's default timeouts", async () => {
    const created: Server[] = [];
    const listen = Server.prototype.listen;
    Server.prototype.listen = function (this: Server, ...args: unknown[]) {
      created.push(this);
      return Reflect.apply(listen, this, args);
    } as typeof listen;
    try {
      await using app = await startApp();
      expect(app.url).toContain('127.0.0.1');
    } finally {
      Server.prototype.listen = listen;
    }
    expect(created.map((server) => [server.requestTimeout, server.timeout])).toEqual([[30_000, 0]]);
  });
});
