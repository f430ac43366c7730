// A hostile server and network: whatever they do, the client delivers every event once, in order and with its exact text.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createClient } from '../../src/client/index.ts';
import type { ExecutionEvent, NewEvent } from '../../src/event/events.ts';
import { propertyRuns } from '../support/property-runs.ts';
import {
  COMPLETE,
  EPOCH,
  endOf,
  eventOf,
  messageOf,
  type Reply,
  scriptedFetch,
  stream,
} from './scripted-fetch.ts';

/** Without delays; a connection is dead after 10 ms. */
const FAST = { url: '/', backoff: { firstMs: 0, maxMs: 0 }, heartbeatMs: 4 };

const TEXTS = [
  'One',
  ' two',
  '\n',
  '\r\n',
  '\r',
  'data: x\n\n',
  'ü ☃ 𝄞',
  '\0',
  '\uFEFF',
  '{"d":1}',
  ' ',
  'x'.repeat(300),
];

const chunk = (seq: number, content: string) =>
  eventOf(seq, { type: 'llm_chunk', data: { content } } as NewEvent);

/** An execution with these texts. */
function logOf(texts: readonly string[]): ExecutionEvent[] {
  return [...texts.map((text, i) => chunk(i + 1, text)), endOf(texts.length + 1)];
}

/** The events after the cursor of a request. */
function eventsAfter(log: readonly ExecutionEvent[], lastEventId: string | null): readonly ExecutionEvent[] {
  return log.slice(lastEventId === null ? 0 : Number.parseInt(lastEventId, 10));
}

async function readAll(replies: Reply[], token?: () => Promise<string>): Promise<ExecutionEvent[]> {
  const { fetch } = scriptedFetch(...replies);
  const events: ExecutionEvent[] = [];
  const client = createClient({ ...FAST, fetch, ...(token && { token }) });
  for await (const event of client.watch('agent', 'a1')) events.push(event);
  return events;
}

const encoder = new TextEncoder();

describe('a body', () => {
  const log = logOf(TEXTS);
  const body = (text: string) => encoder.encode(text);
  const text = `retry: 0\n:\n\n${log.map(messageOf).join('')}${COMPLETE}`;
  const rest: Reply = ({ headers }) =>
    stream(eventsAfter(log, headers.get('last-event-id')).map(messageOf).join('') + COMPLETE).ends();

  test.each([
    ['LF', text],
    ['CRLF', text.replaceAll('\n', '\r\n')],
    ['CR', text.replaceAll('\n', '\r')],
    ['a byte order mark', `\uFEFF${text}`],
  ])(
    'with %s that is cut after any byte loses and repeats nothing',
    async (_, whole) => {
      const bytes = body(whole);
      // Every byte of the last messages, where most characters are special, and every third of the others.
      for (let at = 0; at <= bytes.length; at += at > bytes.length - 500 ? 1 : 3) {
        const first = stream(bytes.slice(0, at));
        const events = await readAll([at % 2 === 0 ? first.breaks() : first.ends(), rest]);
        expect(events, `cut after ${at} bytes`).toEqual(log);
      }
    },
    60_000,
  );

  test('that arrives byte by byte, or split anywhere, has the same events', async () => {
    const bytes = body(text.replaceAll('\n', '\r\n'));
    const single = Array.from(bytes, (byte) => Uint8Array.of(byte));
    expect(await readAll([stream(...single).ends()])).toEqual(log);
    for (let at = 1; at < bytes.length; at += 7) {
      expect(await readAll([stream(bytes.slice(0, at), bytes.slice(at)).ends()])).toEqual(log);
    }
  });

  test('with a field of 8 MiB is read', async () => {
    const huge = logOf(['x'.repeat(8 * 1024 * 1024)]);
    const bytes = body(huge.map(messageOf).join(''));
    const parts = Array.from({ length: 128 }, (_, i) =>
      bytes.slice(i * 65_536 + i, (i + 1) * 65_536 + i + 1),
    );
    const events = await readAll([stream(...parts, bytes.slice(128 * 65_537)).ends()]);
    expect(events.map(({ seq }) => seq)).toEqual([1, 2]);
    expect((events[0]!.data as { content: string }).content.length).toBe(8 * 1024 * 1024);
  });
});

describe('a server', () => {
  const failures: fc.Arbitrary<(log: readonly ExecutionEvent[]) => Reply> = fc.oneof(
    fc.constantFrom(429, 500, 502, 503, 408).map((status) => () => () => new Response('<html>', { status })),
    // A connection that cannot be established.
    fc.constant(() => new TypeError('fetch failed')),
    fc.constant(() => 'hang' as const),
    fc.constant(() => () => new Response('{"code":"UNAUTHENTICATED"}', { status: 401 })),
    // A part of the body, with line breaks and noise of any kind, that ends in any way.
    fc
      .record({
        at: fc.double({ min: 0, max: 1, noNaN: true }),
        lineBreak: fc.constantFrom('\n', '\r', '\r\n'),
        end: fc.constantFrom('ends', 'breaks', 'stays'),
        from: fc.nat(3),
        noise: fc.constantFrom(
          '',
          '\uFEFF',
          ':\0\n\n',
          'unknown: x\n\n',
          'event: other\ndata: {}\n\n',
          'id: ☃\n\n',
          'id: 1\0\n\n',
          'retry: x\n\n',
          '\n\n\n',
          'data\n\n',
        ),
        damage: fc.constantFrom(
          '',
          '',
          '',
          'event: next\ndata: {"da\n\n',
          'event: next\ndata: null\n\n',
          'event: next\ndata: 7\n\n',
        ),
      } as const)
      .map(
        ({ at, lineBreak, end, from, noise, damage }) =>
          (log: readonly ExecutionEvent[]): Reply =>
          ({ headers }) => {
            const after = eventsAfter(log, headers.get('last-event-id'));
            // Some of them were sent before.
            const repeated = log.slice(Math.max(0, log.length - after.length - from));
            const text = `retry: 0\n:\n\n${noise}${repeated.map((event) => messageOf(event) + noise.replace('\uFEFF', '')).join('')}`;
            const bytes = encoder.encode((damage + text).replaceAll('\n', lineBreak));
            return stream(bytes.slice(0, Math.floor(bytes.length * at)))[end]();
          },
      ),
  );

  test('that fails in many ways, one after the other, changes nothing of what the application receives', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(...TEXTS), { maxLength: 8 }),
        fc.array(failures, { maxLength: 5 }),
        async (texts, list) => {
          const log = logOf(texts);
          const last: Reply = ({ headers }) =>
            stream(eventsAfter(log, headers.get('last-event-id')).map(messageOf).join('') + COMPLETE).ends();
          // A token that is rejected twice in a row would be a permanent rejection.
          const replies = list.flatMap((failure) => [failure(log), () => new Response('', { status: 503 })]);
          const events = await readAll([...replies, last], async () => 't');
          expect(events).toEqual(log);
        },
      ),
      { numRuns: propertyRuns(300) },
    );
  }, 60_000);

  test('that sends an id which no header can have is resumed after the last one that a header can have', async () => {
    const log = logOf(['a', 'b']);
    const { fetch, requests } = scriptedFetch(
      stream(messageOf(log[0]!), 'id: ☃\n\n').breaks(),
      stream(...log.slice(1).map(messageOf)).ends(),
    );
    const events: ExecutionEvent[] = [];
    for await (const event of createClient({ ...FAST, fetch }).watch('agent', 'a1')) events.push(event);
    expect(events).toEqual(log);
    expect(requests[1]!.headers.get('last-event-id')).toBe(`1-${EPOCH}`);
  });
});
