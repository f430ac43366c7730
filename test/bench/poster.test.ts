// Events for peers with a publisher endpoint must arrive complete and in order, also after a pause.
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import { createPoster, type Poster, type PostSpec } from '../../bench/generator/poster.ts';

const ends: (() => void)[] = [];

afterEach(() => {
  for (const end of ends.splice(0)) end();
});

/** A publisher endpoint that closes idle connections, as many do. */
async function endpoint(idleMs: number) {
  const received: { request: IncomingMessage; body: string }[] = [];
  let connections = 0;
  let closed = 0;
  const server = createServer({ keepAliveTimeout: idleMs }, async (request, response) => {
    received.push({ request, body: await text(request) });
    response.end();
  });
  server.on('connection', (socket) => {
    connections += 1;
    socket.once('close', () => {
      closed += 1;
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ends.push(() => server.close());
  const { port } = server.address() as AddressInfo;
  const poster = (spec: Omit<PostSpec, 'port'>): Poster => {
    const created = createPoster({ ...spec, port });
    ends.push(() => created.close());
    return created;
  };
  return { received, poster, connections: () => connections, closed: () => closed };
}

const JSON_SPEC = {
  path: '/publish/{id}',
  headers: { 'Content-Type': 'application/json', 'X-API-Key': 'k' },
  body: '{"channel":"{id}","data":{event}}',
};

describe('poster', () => {
  it('inserts the id and the event, and keeps the order', async () => {
    const { received, poster, connections } = await endpoint(5_000);
    const { post } = poster(JSON_SPEC);
    for (let n = 1; n <= 64; n++) post('x-1', `{"n":${n},"of":"$& é"}`);
    await expect.poll(() => received.length).toBe(64);
    expect(received.map(({ body }) => JSON.parse(body))).toEqual(
      received.map((_, at) => ({ channel: 'x-1', data: { n: at + 1, of: '$& é' } })),
    );
    expect(received[0]?.request).toMatchObject({ url: '/publish/x-1', headers: { 'x-api-key': 'k' } });
    expect(connections()).toBe(1);
  });

  it('escapes the event in a form', async () => {
    const { received, poster } = await endpoint(5_000);
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
    poster({ path: '/', headers, body: 'topic={id}&data={event}' }).post('x-1', '{"a":"b&c=d+é"}');
    await expect.poll(() => received.length).toBe(1);
    const sent = [...new URLSearchParams(received[0]?.body)];
    expect(sent).toEqual([
      ['topic', 'x-1'],
      ['data', '{"a":"b&c=d+é"}'],
    ]);
  });

  it('reconnects after the connection was closed', async () => {
    const { received, poster, connections, closed } = await endpoint(1);
    const { post } = poster(JSON_SPEC);
    post('x-1', '1');
    await expect.poll(() => received.length).toBe(1);
    // Node closes idle connections one second later than configured.
    await expect.poll(closed, { timeout: 10_000 }).toBe(1);
    post('x-1', '2');
    await expect.poll(() => received.length).toBe(2);
    expect(connections()).toBe(2);
  });
});
