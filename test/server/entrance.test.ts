// Clients that connect in a burst and disconnect before their turn leave nothing open.
import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { directLog, startApp } from '../support/app.ts';
import { openSse } from '../support/sse.ts';
import { until } from '../support/wait.ts';
import { restUrl } from './reader.ts';

test('viewers that disconnect while they wait for admission leave no stream open', async () => {
  await using app = await startApp();
  const log = await directLog(app);
  await log.append({ type: 'llm_chunk', data: { content: 'a' }, ts: '2026-11-01T00:00:00.000Z' });
  const { host, hostname, port, pathname } = new URL(restUrl(app.url, 'a1'));
  const { streams, tails } = app.services;
  const sockets = await Promise.all(
    Array.from({ length: 100 }, async () => {
      const socket = connect({ host: hostname, port: Number(port) });
      await new Promise((resolve) => socket.once('connect', resolve));
      return socket;
    }),
  );
  for (const socket of sockets) socket.write(`GET ${pathname} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  // All disconnect once the first response arrives, while the others still wait for admission.
  await Promise.race(sockets.map((socket) => new Promise((resolve) => socket.once('data', resolve))));
  for (const socket of sockets) socket.resetAndDestroy();
  using remaining = await openSse(restUrl(app.url, 'a1'));
  await until(() => streams.size === 1);
  expect(remaining.status).toBe(200);
  remaining.destroy();
  await until(() => streams.size === 0 && tails.size === 0);
});

test('a liveness probe gets its response before the waiting requests of other clients', async () => {
  await using app = await startApp();
  const { host, hostname, port } = new URL(app.url);
  const responded: string[] = [];
  const open = async () => {
    const socket = connect({ host: hostname, port: Number(port) });
    const get = async (path: string) => {
      socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
      await once(socket, 'data');
      responded.push(path);
    };
    // Ensures that the connection is accepted, which the server does one at a time.
    await get('/health/live');
    return { socket, get };
  };
  const connections = await Promise.all(Array.from({ length: 201 }, open));
  responded.length = 0;
  await Promise.all(connections.map(({ get }, i) => get(i < 200 ? '/openapi.json' : '/health/live')));
  for (const { socket } of connections) socket.destroy();
  expect(responded).toHaveLength(201);
  expect(responded.indexOf('/health/live')).toBeLessThan(50);
});
