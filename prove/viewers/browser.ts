// Viewers that are a browser's own EventSource: it reconnects by itself, and gives up at 401, when its page asks for a
// new token and begins again behind the last event.
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { chromium } from 'playwright-core';
import { CHROMIUM, findPart } from '../../scripts/test-services.ts';
import { CATALOGUE, type EventType, isTerminal } from '../../src/event/events.ts';
import { createSequence } from '../check/sequence.ts';
import { speak } from './transports.ts';
import type { Viewer, ViewerOptions } from './viewer.ts';

export interface Browser {
  /** Browsers open six connections to a host: takes one, where there is one left, to be released. */
  claim(): boolean;
  release(): void;
  /** Opens an EventSource under a name; answers what closes it. */
  open(name: string, url: string, listener: Listener): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

interface Listener {
  onEvents(events: readonly BrowserEvent[]): void;
  /** It has given up. */
  onClosed(): void;
}

interface BrowserEvent {
  readonly id: string;
  readonly event: string;
  readonly data: string;
}

/** One is left for the page itself. */
const MOST = 5;
const TYPES = Object.keys(CATALOGUE);

/** Starts Chromium with a page of the servers' origin; undefined where there is no Chromium. */
export async function startBrowser(url: string): Promise<Browser | undefined> {
  const executablePath = findPart(CHROMIUM);
  if (!executablePath) return undefined;
  const browser = await chromium.launch({
    executablePath,
    // The run itself is told to stop, and ends it in its order.
    ...{ handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false },
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-gpu', '--disable-background-networking'],
  });
  const page = await (await browser.newContext({ bypassCSP: true })).newPage();
  await page.goto(`${url}/health/live`);
  const listeners = new Map<string, Listener>();
  await page.exposeFunction('tell', (name: string, events: BrowserEvent[], isClosed: boolean) => {
    const listener = listeners.get(name);
    if (events.length > 0) listener?.onEvents(events);
    if (isClosed) listener?.onClosed();
  });
  await page.evaluate(readFileSync(new URL('./page.js', import.meta.url), 'utf8'));
  let claimed = 0;
  return {
    claim() {
      if (claimed >= MOST) return false;
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
  const speech = speak('rest', target);
  let after: string | undefined;
  let lastAt: number | undefined;
  let isDone = false;
  const name = `${plan.name} (browser)`;
  /** Begun by us since the last event; what the browser begins itself is not seen. */
  let connections = 0;

  /** One EventSource: resolves when it has given up, or has seen the end. */
  async function readOnce(): Promise<void> {
    const { query } = await access.carry();
    const resume = { ...query, ...(after !== undefined && { last_event_id: after }) };
    const { url } = speech.ask(undefined, resume);
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
    access.refused();
  }

  function take({ id, event, data }: BrowserEvent): void {
    const message = speech.read({ id, event, data });
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
        counts.refusals.set(why, (counts.refusals.get(why) ?? 0) + 1);
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
