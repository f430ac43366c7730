// Viewers that use a browser's EventSource. It reconnects automatically and gives up at 401; the page then requests
// a new token and continues after the last event.
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { chromium } from 'playwright-core';
import { CHROMIUM, findPart } from '../../scripts/test-services.ts';
import { CATALOGUE, type EventType, isTerminal } from '../../src/event/events.ts';
import { createSequence } from '../check/sequence.ts';
import { createProtocol } from './transports.ts';
import type { Viewer, ViewerOptions } from './viewer.ts';

export interface Browser {
  /** Reserves one of the six connections that a browser opens to a host; false if none is free. */
  claim(): boolean;
  release(): void;
  /** Opens an EventSource under a name. Returns a function that closes it. */
  open(name: string, url: string, listener: Listener): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

interface Listener {
  onEvents(events: readonly BrowserEvent[]): void;
  /** The EventSource has given up. */
  onClosed(): void;
}

interface BrowserEvent {
  readonly id: string;
  readonly event: string;
  readonly data: string;
}

/** One of the six connections is reserved for the page. */
const MAX_SOURCES = 5;
const TYPES = Object.keys(CATALOGUE);

/** Starts Chromium with a page of the servers' origin; undefined if Chromium is not installed. */
export async function startBrowser(url: string): Promise<Browser | undefined> {
  const executablePath = findPart(CHROMIUM);
  if (!executablePath) return undefined;
  const browser = await chromium.launch({
    executablePath,
    // The run handles signals and closes the browser in order.
    ...{ handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false },
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu', '--disable-background-networking'],
  });
  const page = await (await browser.newContext({ bypassCSP: true })).newPage();
  await page.goto(`${url}/health/live`);
  const listeners = new Map<string, Listener>();
  await page.exposeFunction('report', (name: string, events: BrowserEvent[], isClosed: boolean) => {
    const listener = listeners.get(name);
    if (events.length > 0) listener?.onEvents(events);
    if (isClosed) listener?.onClosed();
  });
  await page.evaluate(readFileSync(new URL('./page.js', import.meta.url), 'utf8'));
  let claimed = 0;
  return {
    claim() {
      if (claimed >= MAX_SOURCES) return false;
      claimed += 1;
      return true;
    },
    release() {
      claimed -= 1;
    },
    async open(name, source, listener) {
      listeners.set(name, listener);
      await page.evaluate(`openSource(${JSON.stringify([name, source, TYPES]).slice(1, -1)})`);
      return async () => {
        if (!listeners.delete(name)) return;
        await page.evaluate(`sources[${JSON.stringify(name)}]?.close()`);
      };
    },
    close: () => browser.close(),
  };
}

export function createBrowserViewer(options: ViewerOptions, browser: Browser): Viewer {
  const { plan, target, access, pauses, counts, signal } = options;
  const sequence = createSequence(target.id, options.mode);
  const protocol = createProtocol('rest', target);
  let after: string | undefined;
  let lastAt: number | undefined;
  let isDone = false;
  const name = `${plan.name} (browser)`;
  /** Connections that this viewer opened since the last event; reconnects of the browser are not visible. */
  let connections = 0;

  /** One EventSource: resolves once it has given up or received the terminal event. */
  async function readOnce(): Promise<void> {
    const { query } = await access.credentials();
    const resume = { ...query, ...(after !== undefined && { last_event_id: after }) };
    const { url } = protocol.request(undefined, resume);
    counts.connections += 1;
    connections += 1;
    let close: (() => Promise<void>) | undefined;
    await new Promise<void>((resolve, reject) => {
      signal.addEventListener('abort', () => resolve());
      const onEvents = (events: readonly BrowserEvent[]): void => {
        for (const event of events) take(event);
        if (sequence.terminal) resolve();
      };
      browser.open(plan.name, url, { onEvents, onClosed: resolve }).then((opened) => {
        close = opened;
      }, reject);
    }).finally(() => close?.());
    if (sequence.terminal || signal.aborted) return;
    counts.renewals += 1;
    access.invalidate();
  }

  function take({ id, event, data }: BrowserEvent): void {
    const message = protocol.read({ id, event, data });
    if (message.is !== 'event') return;
    sequence.take(message.event);
    after = message.id;
    const { at, type } = message.event;
    if (lastAt !== undefined) pauses.arrived(name, lastAt, at, connections);
    connections = 0;
    lastAt = isTerminal(type as EventType) ? undefined : at;
  }

  async function watch(): Promise<void> {
    await sleep(plan.joinsAfterMs);
    while (!sequence.terminal && !signal.aborted) {
      await readOnce().catch((error: Error) => {
        const why = error.message.split('\n')[0]!;
        counts.rejections.set(why, (counts.rejections.get(why) ?? 0) + 1);
      });
      if (!sequence.terminal) await sleep(500);
    }
  }

  const done = watch().finally(() => {
    isDone = true;
    browser.release();
  });
  return {
    name,
    sequence,
    done,
    get isDone() {
      return isDone;
    },
    stall: () => false,
    isExpired: false,
    cut: () => {},
  };
}
