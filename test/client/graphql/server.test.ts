// The helpers' subscriptions and the real server: any selection, filters, cursors, rotation, permissions and silence.
import { describe, expect, test, vi } from 'vitest';
import {
  createSubscriptions,
  type SubscriptionOptions,
  type SubscriptionRequest,
} from '../../../src/client/graphql/subscriptions.ts';
import { startGuarded, tokenOf } from '../../auth/guarded.ts';
import { chunk, chunks, directLog, type ListeningApp, range, startApp, toolCall } from '../../support/app.ts';
import { startProxy } from '../../support/silent-proxy.ts';
import { until } from '../../support/wait.ts';

type Options = Partial<SubscriptionOptions>;

const FAST = { backoff: { firstMs: 10, maxMs: 100 } };
const urlOf = (app: { readonly url: string }) => `${app.url}/graphql`;
const start = (app: { readonly url: string }, options?: Options) =>
  createSubscriptions({ url: urlOf(app), ...FAST, ...options });

/** Every text alone: no `id`, no `type`, no variable for the cursor. */
const TEXTS = 'subscription($id: ID!) { agentStream(id: $id) { ... on LlmChunkEvent { content } } }';
const ofTexts = (id: string): SubscriptionRequest => ({ query: TEXTS, variables: { id } });

interface Reading {
  /** The root field of each result. */
  readonly events: Record<string, unknown>[];
  /** Resolves to 'ended', or the code of the error. */
  readonly done: Promise<string>;
}

function read({ iterate }: ReturnType<typeof start>, request: SubscriptionRequest): Reading {
  const events: Record<string, unknown>[] = [];
  const readAll = async () => {
    for await (const { data } of iterate(request))
      events.push(Object.values(data!)[0] as Record<string, unknown>);
    return 'ended';
  };
  return { events, done: readAll().catch(({ code }) => code) };
}

const textOf = ({ events }: Reading) => events.map(({ content = '' }) => content).join('');

/** Appends chunks until a condition holds. Returns their text. */
async function appendUntil(
  log: Awaited<ReturnType<typeof directLog>>,
  isEnough: () => boolean,
): Promise<string> {
  const texts: string[] = [];
  while (!isEnough()) {
    texts.push(`${texts.length} ü\r\n`);
    await log.append(chunk(texts.at(-1)!));
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return texts.join('');
}

describe('subscriptions', () => {
  test('deliver the text of each of several executions through many rotations', async () => {
    await using app = await startApp({ settings: { lifetimeMs: 150, retryMs: 10, heartbeatMs: 1_000 } });
    const send = vi.fn(globalThis.fetch);
    const subscriptions = start(app, { fetch: send });
    const logs = await Promise.all(['a1', 'a2', 'a3'].map((id) => directLog(app, { id })));
    // Two of them watch the same execution.
    const readings = ['a1', 'a2', 'a3', 'a3'].map((id) => read(subscriptions, ofTexts(id)));
    const texts = await Promise.all(logs.map((log) => appendUntil(log, () => send.mock.calls.length >= 24)));
    await Promise.all(logs.map((log) => log.complete()));
    expect(await Promise.all(readings.map(({ done }) => done))).toEqual(Array(4).fill('ended'));
    expect(readings.map(textOf)).toEqual([...texts, texts[2]]);
  });

  test.each([
    ['an alias', 'subscription { mine: agentStream(id: "a1") { number: seq } }'],
    ['a literal cursor', 'subscription { agentStream(id: "a1", after: "0") { number: seq } }'],
    [
      'a variable of another name',
      'subscription($from: Cursor) { agentStream(id: "a1", after: $from) { number: seq } }',
    ],
    [
      'fragments',
      'subscription { agentStream(id: "a1") { ...F } } fragment F on ExecutionEvent { number: seq }',
    ],
    ['an alias for `id`', 'subscription { agentStream(id: "a1") { id: executionId type: ts number: seq } }'],
  ])('resume with %s', async (_, query) => {
    await using app = await startApp({ settings: { lifetimeMs: 150, retryMs: 10 } });
    const log = await directLog(app);
    const send = vi.fn(globalThis.fetch);
    const reading = read(start(app, { fetch: send }), { query, variables: { from: `0-${log.epoch}` } });
    await appendUntil(log, () => send.mock.calls.length >= 4);
    await log.complete();
    expect(await reading.done).toBe('ended');
    expect(reading.events.map(({ number }) => number)).toEqual(range(1, reading.events.length));
    expect(reading.events).toHaveLength((await app.log.read('a1', 0, 10_000))!.events.length);
  });

  test('begin after `after`, and resume after later events', async () => {
    await using app = await startApp({ settings: { retryMs: 10 } });
    const log = await directLog(app);
    await log.append(...chunks(5));
    const query = 'subscription($after: Cursor) { agentStream(id: "a1", after: $after) { seq } }';
    const reading = read(start(app), { query, variables: { after: `3-${log.epoch}` } });
    await until(() => reading.events.length === 2);
    app.services.streams.rotateAll();
    await log.append(chunk('6 '));
    await until(() => reading.events.length === 3);
    await log.complete();
    expect(await reading.done).toBe('ended');
    expect(reading.events.map(({ seq }) => seq)).toEqual([4, 5, 6, 7]);
  });

  test('of filtered events end with the execution, and their cursor moves on', async () => {
    await using app = await startApp({ settings: { lifetimeMs: 400, retryMs: 10, heartbeatMs: 50 } });
    const log = await directLog(app);
    const send = vi.fn(globalThis.fetch);
    const query = 'subscription { agentStream(id: "a1", events: [TOOL_CALL]) { seq } }';
    const reading = read(start(app, { fetch: send }), { query });
    await log.append(toolCall(), ...chunks(5));
    // A heartbeat has moved the cursor past the chunks before the connection is rotated.
    await until(() => send.mock.calls.length === 2);
    const headers = send.mock.calls[1]![1]!.headers as Record<string, string>;
    expect(headers['last-event-id']).toBe(`6-${log.epoch}`);
    await log.complete();
    expect(await reading.done).toBe('ended');
    expect(reading.events).toEqual([{ seq: 1 }]);
  });

  test('of an execution that has ended deliver it and end', async () => {
    await using app = await startApp();
    const log = await directLog(app);
    await log.append(chunk('text'));
    await log.complete();
    const reading = read(start(app), ofTexts('a1'));
    expect(await reading.done).toBe('ended');
    expect(textOf(reading)).toBe('text');
    const query = 'subscription($after: Cursor) { agentStream(id: "a1", after: $after) { seq } }';
    const nothing = read(start(app), { query, variables: { after: `2-${log.epoch}` } });
    expect([await nothing.done, nothing.events]).toEqual(['ended', []]);
  });

  test('may have documents that are longer than a URL may be', async () => {
    await using app = await startApp();
    const log = await directLog(app);
    await log.complete();
    const query = `# ${'x'.repeat(100_000)}\nsubscription { agentStream(id: "a1") { seq } }`;
    expect(await read(start(app), { query }).done).toBe('ended');
  });

  test('that are closed close their streams on the server', async () => {
    await using app = await startApp();
    await directLog(app);
    const subscriptions = start(app);
    const sink = { next: () => {}, error: (error: Error) => expect.fail(error.message), complete: () => {} };
    const unsubscribe = [1, 2, 3].map(() => subscriptions.subscribe(ofTexts('a1'), sink));
    const { streams } = app.services;
    await until(() => streams.size === 3);
    unsubscribe[0]!();
    await until(() => streams.size === 2);
    subscriptions.close();
    await until(() => streams.size === 0);
  });

  test('continue after a connection that has become silent', async () => {
    await using app = await startApp({ settings: { heartbeatMs: 100 } });
    await using proxy = await startProxy(app);
    const log = await directLog(app);
    const reading = read(start(proxy, { heartbeatMs: 100 }), ofTexts('a1'));
    await log.append(chunk('one'));
    await until(() => textOf(reading) === 'one');
    proxy.silence();
    await log.append(chunk(' two'));
    await log.complete();
    expect(await reading.done).toBe('ended');
    expect(textOf(reading)).toBe('one two');
    expect(proxy.connections).toBe(2);
  });

  test('deliver no heartbeats of `?ping=event`', async () => {
    await using app = await startApp({ settings: { heartbeatMs: 20 } });
    const log = await directLog(app);
    const parts: string[] = [];
    const fetchAndKeep: typeof fetch = async (...args) => {
      const response = await fetch(...args);
      const [body, copy] = response.body!.tee();
      void copy
        .pipeThrough(new TextDecoderStream())
        .pipeTo(new WritableStream({ write: (text) => void parts.push(text) }))
        .catch(() => {});
      return new Response(body, response);
    };
    const options = { url: `${urlOf(app)}?ping=event`, fetch: fetchAndKeep };
    const reading = read(start(app, options), ofTexts('a1'));
    await until(() => parts.join('').includes('"ping":true'));
    await log.append(chunk('one'));
    await log.complete();
    expect(await reading.done).toBe('ended');
    expect(textOf(reading)).toBe('one');
  });
});

describe('a rejected subscription', () => {
  test.each<[code: string, query: string]>([
    ['NOT_FOUND', 'subscription { agentStream(id: "absent") { seq } }'],
    ['NOT_FOUND', 'subscription { taskStream(id: "a1") { seq } }'],
    ['BAD_CURSOR', 'subscription { agentStream(id: "a1", after: "x") { seq } }'],
    ['BAD_USER_INPUT', 'subscription { agentStream(id: "a1") { absent } }'],
    ['BAD_USER_INPUT', 'subscription {'],
    ['BAD_USER_INPUT', ''],
  ])('has the code %s of the server for %j', async (code, query) => {
    await using app = await startApp();
    await directLog(app);
    expect(await read(start(app), { query }).done).toBe(code);
  });

  test('for an expired token is repeated with a new one', async () => {
    await using app = await startGuarded();
    const log = await directLog(app as ListeningApp);
    await log.append(chunk('text'));
    await log.complete();
    const token = vi.fn(() => tokenOf());
    token.mockImplementationOnce(() => tokenOf({ exp: 1 }));
    const reading = read(start(app, { token }), ofTexts('a1'));
    expect(await reading.done).toBe('ended');
    expect(textOf(reading)).toBe('text');
    expect(token).toHaveBeenCalledTimes(2);
    const expired = start(app, { token: await tokenOf({ exp: 1 }) });
    expect(await read(expired, ofTexts('a1')).done).toBe('UNAUTHENTICATED');
    expect(await read(start(app), ofTexts('a1')).done).toBe('UNAUTHENTICATED');
  });
});
