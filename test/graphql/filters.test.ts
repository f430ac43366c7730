// Which events a filter passes, and how the cursor advances past those that it excludes.
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

describe('filters of a stream', () => {
  test('a filter passes only its types, and the end closes the stream although it is filtered out', async () => {
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

  test('the cursor advances past filtered events with a block of `id:` at the heartbeat, if it has changed', async () => {
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

  test('filtered events do not delay the heartbeat', async () => {
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

  test('the advanced cursor is sent before a rotation closes the stream', async () => {
    const log = await directLog(app);
    const bodies = [collect(await get({ events: ['COMPLETE'] })), collect(await rest('complete'))];
    await log.append(...chunks(5));
    await settled();
    app.services.streams.rotateAll();
    await settled();
    for (const body of bodies) {
      expect(log.masked(body.text)).toBe('retry: 1000\n:\n\nid: 5-EPOCH\n\n');
      expect(body.broken).toBe(true);
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

  test('the response is 204 if nothing after a cursor above 0 passes, although the cursor is not at the end', async () => {
    const log = await directLog(app);
    await log.append(toolCall(), ...chunks(600));
    await log.complete();
    expect((await get({ events: ['TOOL_CALL'] }, `1-${log.epoch}`)).status).toBe(204);
    expect((await rest('tool_call', `1-${log.epoch}`)).status).toBe(204);
    expect((await rest('tool_call', '1')).status).toBe(204);
    expect((await rest('tool_call,complete', `1-${log.epoch}`)).status).toBe(200);
    expect((await rest('warning', `0-${log.epoch}`)).status).toBe(200);
    expect((await rest('warning')).status).toBe(200);
    // `after` alone never gets 204: the graphql-sse client fails on a response without a body.
    const alone = await get({ events: ['TOOL_CALL'], after: `1-${log.epoch}` });
    expect(alone.status).toBe(200);
    expect(log.masked(await alone.text())).toMatch(/id: 602-EPOCH\nevent: complete\ndata: \n\n$/);
    expect(app.services.tails.size).toBe(1); // `rest('warning')`, `rest('tool_call,complete')`: not read yet
  });

  test('an open execution never gets 204', async () => {
    const log = await directLog(app);
    await log.append(...chunks(2));
    const response = await rest('tool_call', `2-${log.epoch}`);
    expect(response.status).toBe(200);
    await response.body!.cancel();
  });

  test('no `events` argument is no filter, and an empty list passes only reset and gap', async () => {
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
