// `shareTabs`: the tabs of an origin have one connection, and each of them has every event.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createClient, type FollowOptions } from '../../src/client/index.ts';
import { shareTabs } from '../../src/client/tabs.ts';
import { until } from '../support/wait.ts';
import {
  COMPLETE,
  EPOCH,
  endOf,
  messageOf,
  next,
  problem,
  type Reply,
  scriptedFetch,
  stream,
} from './scripted-fetch.ts';

/** Web Locks, of which Node 20 has none: exclusive locks, granted in the order of the requests. */
function createLocks() {
  const queues = new Map<string, Promise<void>>();
  return {
    async request(
      name: string,
      { signal }: { signal: AbortSignal },
      hold: () => Promise<void>,
    ): Promise<void> {
      const before = queues.get(name) ?? Promise.resolve();
      const held = before.then(() => (signal.aborted ? undefined : hold()));
      queues.set(name, held);
      await held;
    },
  };
}

const navigatorBefore = Object.getOwnPropertyDescriptor(globalThis, 'navigator');
const setNavigator = (value: object) =>
  Object.defineProperty(globalThis, 'navigator', { value, configurable: true });
beforeEach(() => void setNavigator({ locks: createLocks() }));
afterEach(() => {
  if (navigatorBefore) Object.defineProperty(globalThis, 'navigator', navigatorBefore);
  else Reflect.deleteProperty(globalThis, 'navigator');
});

const END = messageOf(endOf(9));

/** Browsers of one process would share their channels. */
let browsers = 0;

/** A browser whose tabs follow an execution. */
function openBrowser(...replies: Reply[]) {
  const { fetch, requests } = scriptedFetch(...replies);
  browsers += 1;
  const name = `browser ${browsers}`;
  const openTab = (options: FollowOptions = {}) =>
    // As in another page: every tab has its own client.
    createClient({
      url: '/',
      fetch,
      backoff: { firstMs: 5, maxMs: 20 },
      heartbeatMs: 200,
      tabs: shareTabs({ name, pingMs: 100 }),
    }).follow('agent', 'a1', options);
  return { openTab, requests };
}

/** A response whose parts a test sends one at a time. */
function controlled() {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  const body = new ReadableStream<Uint8Array>({
    start: (created) => {
      controller = created;
    },
  });
  return {
    reply: new Response(body, { headers: { 'content-type': 'text/event-stream' } }),
    send: (...parts: string[]) => {
      for (const part of parts) controller!.enqueue(new TextEncoder().encode(part));
    },
    break: () => controller!.error(new TypeError('terminated')),
  };
}

describe('tabs', () => {
  test('follow an execution over one connection, also those that are opened later', async () => {
    const connection = controlled();
    const { openTab, requests } = openBrowser(connection.reply);
    const early = [openTab(), openTab(), openTab()];
    connection.send(next(1), next(2));
    await until(() => early.every(({ state }) => state.text === '1 2 '));
    const late = openTab();
    await until(() => late.state.text === '1 2 ');
    expect([...early, late].map((tab) => tab.connection.status)).toEqual(Array(4).fill('live'));
    connection.send(next(3), END, COMPLETE);
    const finals = await Promise.all([...early, late].map(({ ended }) => ended));
    for (const final of finals) expect(final).toEqual(early[0]!.state);
    expect(finals[0]).toMatchObject({ text: '1 2 3 ', status: 'SUCCESS' });
    expect(requests).toHaveLength(1);
  });

  test('continue after the last event when the tab with the connection is closed', async () => {
    const first = controlled();
    const { openTab, requests } = openBrowser(first.reply, stream(next(2), END).ends());
    const leader = openTab();
    await until(() => leader.connection.status === 'live');
    const other = openTab();
    first.send(next(1));
    await until(() => other.state.text === '1 ');
    leader.close();
    expect(await other.ended).toMatchObject({ text: '1 2 ', status: 'SUCCESS' });
    expect(requests[1]!.headers.get('last-event-id')).toBe(`1-${EPOCH}`);
  });

  test('lose and repeat nothing when the connection breaks again and again', async () => {
    // Two events per connection.
    const { openTab } = openBrowser(({ headers }) => {
      const seq = Number.parseInt(headers.get('last-event-id') ?? '0', 10);
      return seq >= 8 ? stream(END).ends() : stream(next(seq + 1), next(seq + 2)).breaks();
    });
    const tabs = [openTab(), openTab(), openTab()];
    const finals = await Promise.all(tabs.map(({ ended }) => ended));
    for (const final of finals) expect(final.text).toBe('1 2 3 4 5 6 7 8 ');
  });

  test('stay connected while the execution is silent', async () => {
    const connection = controlled();
    const { openTab, requests } = openBrowser(connection.reply);
    const [leader, other] = [openTab(), openTab()];
    const heartbeats = setInterval(() => connection.send(':\n\n'), 50);
    await until(() => other.connection.status === 'live');
    const statuses = new Set<string>();
    other.subscribe(() => statuses.add(other.connection.status));
    // Longer than the 500 ms after which a connection is dead.
    await new Promise((resolve) => setTimeout(resolve, 800));
    expect(statuses.has('waiting')).toBe(false);
    clearInterval(heartbeats);
    connection.send(END);
    await Promise.all([leader.ended, other.ended]);
    expect(requests).toHaveLength(1);
  });

  test('end when nothing follows their states', async () => {
    const { openTab } = openBrowser(new Response(null, { status: 204 }));
    const tabs = [openTab(), openTab()];
    await Promise.all(tabs.map(({ ended }) => ended));
    expect(tabs.map(({ connection }) => connection)).toEqual([{ status: 'ended' }, { status: 'ended' }]);
  });

  test('are all rejected if the execution does not exist', async () => {
    const { openTab } = openBrowser(() => problem(404, 'NOT_FOUND'));
    for (const { ended } of [openTab(), openTab()]) {
      await expect(ended).rejects.toMatchObject({ code: 'NOT_FOUND' });
    }
  });

  test.each([{}, undefined])('without Web Locks (%o) have their own connections', async (navigator) => {
    setNavigator(navigator as object);
    const { openTab, requests } = openBrowser(() => stream(next(1), END).ends());
    const tabs = [openTab(), openTab()];
    for (const { ended } of tabs) expect(await ended).toMatchObject({ text: '1 ' });
    expect(requests).toHaveLength(2);
  });
});
