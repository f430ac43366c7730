// Property: the parsers of small formats either accept a text that round-trips, or reject it with a client error.
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatCursor, parseCursor } from '../../src/event/cursor.ts';
import { type ErrorCode, isExecstreamError } from '../../src/event/errors.ts';
import { EVENT_TYPES } from '../../src/event/events.ts';
import { checkExecutionId } from '../../src/event/execution-id.ts';
import { checkEventData } from '../../src/event/validation.ts';
import { ANONYMOUS } from '../../src/execution/permission.ts';
import { streamParameters } from '../../src/rest/parameters.ts';
import type { Route, RouteServices } from '../../src/rest/route.ts';
import { createMatcher, respond } from '../../src/rest/router.ts';
import { takeAccessTokens } from '../../src/server/auth/access-token.ts';
import { createStreamTokens } from '../../src/server/auth/stream-tokens.ts';
import { createMemoryTokenRecords } from '../../src/server/auth/token-records.ts';
import { type Frame, frame, opening } from '../../src/sse/frame.ts';
import { encode, hostileJson, hostileText, hostileValue, queryValue } from './inputs/text.ts';

const RUNS = { numRuns: 2_000 };

function isWellFormed(text: string): boolean {
  return Buffer.from(text).toString() === text;
}

/** The parsed input; undefined if it is rejected with this code. Any other error fails the property. */
function parsedOr<T>(code: ErrorCode, parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (isExecstreamError(error, code)) return undefined;
    throw error;
  }
}

describe('PROTOCOL.md, Cursors', () => {
  const nearly = fc
    .tuple(fc.stringMatching(/^-?0?\d{1,18}(\.\d|e\d)?$/), fc.stringMatching(/^-?[0-9a-zA-Z ]{8,18}$/))
    .map(([seq, epoch]) => `${seq}-${epoch}`);

  test('a cursor round-trips, and nothing else is accepted', () => {
    fc.assert(
      fc.property(fc.oneof(hostileText, nearly, fc.nat().map(String)), (text) => {
        const cursor = parsedOr('BAD_CURSOR', () => parseCursor(text));
        if (!cursor) return;
        const { seq, epoch } = cursor;
        expect(epoch === undefined ? `${seq}` : formatCursor(seq, epoch)).toBe(text);
      }),
      RUNS,
    );
  });

  test('an execution id round-trips, and can be stored and encoded', () => {
    fc.assert(
      fc.property(fc.oneof(hostileText, fc.string({ unit: 'binary', maxLength: 1_010 })), (text) => {
        const id = parsedOr('BAD_USER_INPUT', () => checkExecutionId(text));
        if (id === undefined) return;
        expect(id).toBe(text);
        expect(decodeURIComponent(encodeURIComponent(id))).toBe(text);
        expect(Buffer.byteLength(id)).toBeLessThanOrEqual(1_000);
        expect(id).not.toContain('\0');
      }),
      RUNS,
    );
  });
});

describe('PROTOCOL.md, REST aliases', () => {
  test('the parameters of a stream are those of the request, or are rejected', () => {
    const list = fc.array(fc.oneof(fc.constantFrom(...EVENT_TYPES, '', ' '), hostileText), { maxLength: 6 });
    fc.assert(
      fc.property(list, fc.oneof(fc.nat({ max: 3_000 }).map(String), queryValue), (names, poll) => {
        const request = new Request(`http://localhost/?events=${encode(names.join(','))}&poll_ms=${poll}`);
        const parameters = parsedOr('BAD_USER_INPUT', () => streamParameters(request, 'a1'));
        if (!parameters) return;
        const sent = names
          .join(',')
          .split(',')
          .map((name) => name.trim())
          .filter((name) => name !== '');
        expect(parameters.events ?? []).toEqual(sent);
        expect(parameters.pollMs).toBeGreaterThanOrEqual(250);
        expect(parameters.pollMs).toBeLessThanOrEqual(2_000);
      }),
      RUNS,
    );
  });

  test('a path segment reaches its handler decoded, and invalid encoding is rejected', async () => {
    let seen: string | undefined;
    const route: Route = {
      method: 'GET',
      path: '/x/{segment}/y',
      access: 'open',
      openApi: false,
      handle: ({ parameters: [segment] }) => {
        seen = segment;
        return new Response();
      },
    };
    const match = createMatcher([route]);
    const visit = (path: string) => {
      const request = new Request(`http://localhost${path}`);
      return respond(match(request), request, ANONYMOUS, {} as RouteServices);
    };
    await fc.assert(
      fc.asyncProperty(hostileText, queryValue, async (text, sent) => {
        // URL normalisation removes these segments.
        const isSegment = !['', '.', '..'].includes(text);
        seen = undefined;
        if (isSegment && isWellFormed(text)) {
          await visit(`/x/${encode(text)}/y`);
          expect(seen).toBe(text);
        }
        await visit(`/x/${sent}/y`).catch((error) =>
          expect(isExecstreamError(error, 'BAD_USER_INPUT')).toBe(true),
        );
      }),
      RUNS,
    );
  });

  test('every access token is removed from a URL, and nothing else', () => {
    const name = fc.constantFrom(
      'access_token',
      '%61ccess_token',
      'access%5Ftoken',
      'xaccess_token',
      '?access_token',
      'a',
      '',
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(name, queryValue), { maxLength: 6 }), (pairs) => {
        const url = `/p?${pairs.map(([key, value]) => `${key}=${value}`).join('&')}`;
        const request = { url };
        // URLSearchParams ignores a leading question mark; the `&` keeps one that belongs to the query.
        const paramsOf = (text: string) => [...new URLSearchParams(`&${text.split('?').slice(1).join('?')}`)];
        const others = (text: string) => paramsOf(text).filter(([key]) => key !== 'access_token');
        takeAccessTokens(request);
        expect(paramsOf(request.url).map(([key]) => key)).not.toContain('access_token');
        expect(others(request.url).filter(([key, value]) => key + value)).toEqual(
          others(url).filter(([key, value]) => key + value),
        );
      }),
      { ...RUNS, examples: [[[['access_token', 'gX-+&?']]], [[['?access_token', '1']]]] },
    );
  });
});

describe('SSE', () => {
  const lines = fc
    .array(fc.oneof(hostileText, fc.constantFrom('\r', '\n', '\r\n', ': ', 'id: 9', '\ufeff')))
    .map((parts) => parts.join(''));

  function received({ bytes }: Frame, sizes: readonly number[]): EventSourceMessage[] {
    const events: EventSourceMessage[] = [];
    const parser = createParser({ onEvent: (event) => events.push(event) });
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
    // The opening of a stream comes first, so that a byte order mark in a text is not that of the stream.
    parser.feed(new TextDecoder().decode(opening(1_000).bytes));
    for (let at = 0, i = 0; at < bytes.length; i += 1) {
      const size = sizes[i % sizes.length]!;
      parser.feed(decoder.decode(bytes.subarray(at, at + size), { stream: true }));
      at += size;
    }
    return events;
  }

  test('any text reaches a client unchanged except for line breaks, regardless of how the bytes are split', () => {
    fc.assert(
      fc.property(
        lines,
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 }),
        (text, sizes) => {
          // UTF-8 has no lone surrogates.
          const data = Buffer.from(text).toString();
          const events = received(frame('7-k3f9ab01zz', 'llm_chunk', data), sizes);
          expect(events).toEqual([
            { id: '7-k3f9ab01zz', event: 'llm_chunk', data: data.replace(/\r\n?/g, '\n') },
          ]);
        },
      ),
      RUNS,
    );
  });

  test('a reason in the opening is always a comment, and never an event', () => {
    fc.assert(
      fc.property(lines, (reason) => {
        expect(received(opening(5_000, reason), [7])).toEqual([]);
      }),
      RUNS,
    );
  });
});

describe('PROTOCOL.md, Events', () => {
  test('the data of an event is accepted unchanged, or rejected', () => {
    fc.assert(
      fc.property(fc.constantFrom(...EVENT_TYPES), hostileValue, (type, value) => {
        const data = parsedOr('BAD_USER_INPUT', () => checkEventData(type, value));
        if (data !== undefined) expect(data).toEqual(value);
      }),
      RUNS,
    );
  });
});

test('a stream token with an invalid record is rejected as UNAUTHENTICATED', async () => {
  await fc.assert(
    fc.asyncProperty(hostileJson, async (record) => {
      const tokens = createStreamTokens({ ...createMemoryTokenRecords(), get: async () => record });
      const error = await tokens.redeem('t'.repeat(43)).catch((error: unknown) => error);
      expect(isExecstreamError(error, 'UNAUTHENTICATED')).toBe(true);
    }),
    { numRuns: 500 },
  );
});
