// What a filter lets through, and how the cursor moves on past what it does not (PROTOCOL.md, "Filters").
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  type App,
  chunk,
  chunks,
  collect,
  createApp,
  directLog,
  EVENT_STREAM,
  graphqlPath,
  settled,
  toolCall,
} from '../support/app.ts';

const SUBSCRIPTION =
  'subscription($events: [EventType!], $after: Cursor) { agentStream(id: "a1", events: $events, after: $after) { type } }';

let app: App;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] });
  app = createApp();
});
afterEach(async () => {
  vi.useRealTimers();
  await app.close();
});

const get = (variables: object, lastEventId?: string) =>
  app.request(graphqlPath(SUBSCRIPTION, variables), {
    headers: { ...EVENT_STREAM, ...(lastEventId && { 'last-event-id': lastEventId }) },
  });
const rest = (events: string, lastEventId?: string) =>
  app.request(`/api/v0/executions/agents/a1/stream?events=${events}`, {
    headers: { ...EVENT_STREAM, ...(lastEventId && { 'last-event-id': lastEventId }) },
  });

describe('PROTOCOL.md, Filters', () => {
  test('only what was asked for passes; the end closes the stream though it is filtered out', async () => {
    const log = await directLog(app);
    await log.append(chunk('a'), toolCall(), chunk('b'));
    await log.complete();
    expect(log.masked(await (await get({ events: ['TOOL_CALL'] })).text())).toBe(
      'retry: 1000\n:\n\nid: 2-EPOCH\nevent: next\ndata: {"data":{"agentStream":{"type":"TOOL_CALL"}}}\n\n' +
        'id: 4-EPOCH\n\nid: 4-EPOCH\nevent: complete\ndata: \n\n',
    );
    expect(log.masked(await (await rest('tool_call')).text())).toBe(
      'retry: 1000\n:\n\nid: 2-EPOCH\nevent: tool_call\n' +
        'data: {"toolCallId":"t1","toolName":"search","status":"started"}\n\nid: 4-EPOCH\n\n',
    );
  });

  test('the cursor moves on past what is filtered: a block of `id:` alone at the heartbeat, if it changed', async () => {
    const log = await directLog(app);
    const body = collect(await get({ events: ['TOOL_CALL'] }));
    await settled();
    await log.append(toolCall(), ...chunks(3));
    await settled();
    const shown = 'id: 1-EPOCH\nevent: next\ndata: {"data":{"agentStream":{"type":"TOOL_CALL"}}}\n\n';
    expect(log.masked(body.text)).toBe(`retry: 1000\n:\n\n${shown}`);
    await vi.advanceTimersByTimeAsync(15_000);
    await settled();
    expect(log.masked(body.text)).toBe(`retry: 1000\n:\n\n${shown}id: 4-EPOCH\n\n`);
    await vi.advanceTimersByTimeAsync(15_000);
    await settled();
    expect(log.masked(body.text)).toBe(`retry: 1000\n:\n\n${shown}id: 4-EPOCH\n\n:\n\n`);
    await body.cancel();
  });

  test('a stream of filtered events does not put the heartbeat off', async () => {
    const log = await directLog(app);
    const body = collect(await rest('tool_call'));
    for (let second = 0; second < 16; second += 1) {
      await log.append(chunk('x'));
      await vi.advanceTimersByTimeAsync(1_000);
      await settled(3);
    }
    expect(log.masked(body.text)).toMatch(/^retry: 1000\n:\n\nid: 1[5-6]-EPOCH\n\n$/);
    await body.cancel();
  });

  test('the moved cursor is sent before a rotation closes the stream', async () => {
    const log = await directLog(app);
    const bodies = [collect(await get({ events: ['COMPLETE'] })), collect(await rest('complete'))];
    await log.append(...chunks(5));
    await settled();
    app.services.streams.rotateAll();
    await settled();
    for (const body of bodies) {
      expect(log.masked(body.text)).toBe('retry: 1000\n:\n\nid: 5-EPOCH\n\n');
      expect(body.done).toBe(true);
    }
  });

  test('`reset` passes every filter', async () => {
    const log = await directLog(app);
    await log.append(chunk('a'));
    await log.complete();
    expect(log.masked(await (await get({ events: ['TOOL_CALL'] }, '1-zzzzzzzzzzzz')).text())).toBe(
      'retry: 1000\n:\n\nid: 0-EPOCH\nevent: next\ndata: {"data":{"agentStream":{"type":"RESET"}}}\n\n' +
        'id: 2-EPOCH\n\nid: 2-EPOCH\nevent: complete\ndata: \n\n',
    );
  });

  test('204 where nothing after a cursor above 0 passes, though the cursor is not at the end', async () => {
    const log = await directLog(app);
    await log.append(toolCall(), ...chunks(600));
    await log.complete();
    expect((await get({ events: ['TOOL_CALL'] }, `1-${log.epoch}`)).status).toBe(204);
    expect((await rest('tool_call', `1-${log.epoch}`)).status).toBe(204);
    expect((await rest('tool_call', '1')).status).toBe(204);
    expect((await rest('tool_call,complete', `1-${log.epoch}`)).status).toBe(200);
    expect((await rest('warning', `0-${log.epoch}`)).status).toBe(200);
    expect((await rest('warning')).status).toBe(200);
    // No 204 for `after` alone: the client of graphql-sse fails on a missing body.
    const alone = await get({ events: ['TOOL_CALL'], after: `1-${log.epoch}` });
    expect(alone.status).toBe(200);
    expect(log.masked(await alone.text())).toMatch(/id: 602-EPOCH\nevent: complete\ndata: \n\n$/);
    expect(app.services.tails.size).toBe(1); // `rest('warning')`, `rest('tool_call,complete')`: not read yet
  });

  test('an open execution is never 204', async () => {
    const log = await directLog(app);
    await log.append(...chunks(2));
    const response = await rest('tool_call', `2-${log.epoch}`);
    expect(response.status).toBe(200);
    await response.body!.cancel();
  });

  test('no events named is no filter; an empty list lets reset and gap through alone', async () => {
    const log = await directLog(app);
    await log.append(chunk('a'));
    await log.complete();
    expect(await (await rest('')).text()).toContain('event: llm_chunk');
    expect(await (await rest('%20,,')).text()).toContain('event: llm_chunk');
    expect(await (await get({ events: null })).text()).toContain('LLM_CHUNK');
    expect(log.masked(await (await get({ events: [] })).text())).toBe(
      'retry: 1000\n:\n\nid: 2-EPOCH\n\nid: 2-EPOCH\nevent: complete\ndata: \n\n',
    );
  });
});
