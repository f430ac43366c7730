// The watchdogs of examples/clients: a connection that is open but silent is replaced, and nothing is lost.

import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { EventSource } from 'eventsource';
import { createClient } from 'graphql-sse';
import { describe, expect, test } from 'vitest';
import { subscribe } from '../../examples/clients/graphql-sse-single-connection.ts';
import { watchedFetch } from '../../examples/clients/watched-fetch.ts';
import { startApp } from '../support/app.ts';
import { startProxy } from '../support/silent-proxy.ts';
import { until } from '../support/wait.ts';
import { DOCUMENT, seenOfResult } from './graphql-sse-clients.ts';
import { restPath, TYPES } from './rest-clients.ts';

// JavaScript, so that a page can load it.
const { watch } = await import(new URL('../../examples/clients/event-source.mjs', import.meta.url).href);

type Message = { readonly type: string; readonly data: string };

describe('a watchdog', () => {
  test('of EventSource keeps a stream with heartbeats, and reopens a silent one after its last event', async () => {
    await using app = await startApp({ settings: { heartbeatMs: 100 } });
    await using proxy = await startProxy(app);
    const run = await app.publisher.begin({ id: 'a1', kind: 'agent' });
    const seen: string[] = [];
    const stop = watch(
      proxy.url + restPath('a1'),
      TYPES,
      ({ type, data }: Message) => void seen.push(`${type} ${data}`),
      { silentMs: 1_000, EventSource: EventSource as never },
    );
    try {
      await run.text('one');
      await until(() => seen.length === 2);
      // Longer than the watchdog's time: heartbeats keep the connection.
      await until(() => app.services.streams.size === 1);
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      expect(proxy.connections).toBe(1);
      proxy.silence();
      await run.text('two');
      await run.complete();
      await until(() => seen.some((event) => event.startsWith('complete')));
      expect(seen.filter((event) => !event.startsWith('llm_chunk'))).toHaveLength(2);
      expect(seen.map((event) => event.split('llm_chunk ')[1]).join('')).toBe('onetwo');
    } finally {
      stop();
    }
  });

  test('of EventSource reopens a stream that was given up because a proxy sent a 502', async () => {
    const requests: string[] = [];
    const server = createHttpServer((request, response) => {
      requests.push(request.url!);
      if (requests.length === 2) response.writeHead(502).end();
      else {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        if (requests.length === 1) response.end('retry: 1\nid: 1-a\nevent: llm_chunk\ndata: one\n\n');
        else response.end('id: 2-a\nevent: complete\ndata: {}\n\n');
      }
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const seen: string[] = [];
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/stream`;
    const options = { retryMs: 10, EventSource: EventSource as never };
    watch(url, TYPES, ({ type }: Message) => void seen.push(type), options);
    await until(() => seen.includes('complete'));
    server.close();
    expect(seen).toEqual(['llm_chunk', 'complete']);
    expect(requests).toEqual([
      '/stream?ping=event',
      '/stream?ping=event',
      '/stream?ping=event&last_event_id=1-a',
    ]);
  });

  test('of graphql-sse keeps a stream with heartbeats, and reopens a silent one after its last event', async () => {
    await using app = await startApp({ settings: { heartbeatMs: 100 } });
    await using proxy = await startProxy(app);
    const run = await app.publisher.begin({ id: 'a1', kind: 'agent' });
    const client = createClient({
      url: `${proxy.url}/graphql`,
      fetchFn: watchedFetch(1_000),
      retry: async () => {},
    });
    const types: string[] = [];
    const ended = new Promise<void>((complete, error) => {
      const next = (result: object) => void types.push(seenOfResult(result).type);
      subscribe(client, { query: DOCUMENT, variables: { id: 'a1' } }, { next, complete, error });
    });
    await run.text('one');
    await until(() => types.length === 2);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(proxy.connections).toBe(1);
    proxy.silence();
    await run.text('two');
    await run.complete();
    await ended;
    expect(types).toEqual(['agent_start', 'llm_chunk', 'llm_chunk', 'complete']);
  });
});
