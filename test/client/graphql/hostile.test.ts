// Whatever a network does between a server and a GraphQL client, and whatever a document selects: every result is
// delivered once, in order and unchanged.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createSubscriptions } from '../../../src/client/graphql/subscriptions.ts';
import { propertyRuns } from '../../support/property-runs.ts';
import { COMPLETE, EPOCH, type Reply, scriptedFetch, stream } from '../scripted-fetch.ts';
import { resultMessage } from './results.ts';

const TEXTS = ['One', ' two', '\n', '\r\n', 'data: x\n\n', 'ü ☃ 𝄞', '\0', '{"d":1}', ''];

/** One connection before the last one. */
const connection = fc.record({
  /** Whether the server receives the cursor: a gateway may remove the header. */
  isResumed: fc.boolean(),
  status: fc.constantFrom(200, 200, 200, 429, 502),
  cutAt: fc.nat({ max: 1_500 }),
  partSize: fc.integer({ min: 1, max: 200 }),
  isClean: fc.boolean(),
  isCrlf: fc.boolean(),
});

test('every result of a log is delivered once and in order, however its connections break', async () => {
  const logs = fc.array(fc.constantFrom(...TEXTS), { minLength: 1, maxLength: 12 });
  const property = fc.asyncProperty(logs, fc.array(connection, { maxLength: 5 }), async (texts, cuts) => {
    // Identical texts follow one another: results are recognised by their position alone.
    const log = texts.map((content) => ({ data: { agentStream: { content } } }));
    const after = (lastEventId: string | null) =>
      log
        .map((result, i) => resultMessage(`${i + 1}-${EPOCH}`, result))
        .slice(lastEventId === null ? 0 : Number.parseInt(lastEventId, 10))
        .join('');
    const replies = cuts.map(
      ({ isResumed, status, cutAt, partSize, isClean, isCrlf }): Reply =>
        ({ headers }) => {
          if (status !== 200) return new Response(null, { status });
          const text = `retry: 0\n:\n\n${after(isResumed ? headers.get('last-event-id') : null)}`;
          const bytes = new TextEncoder().encode(isCrlf ? text.replaceAll('\n', '\r\n') : text);
          const sent = bytes.slice(0, cutAt);
          const parts = Array.from({ length: Math.ceil(sent.length / partSize) }, (_, i) =>
            sent.slice(i * partSize, (i + 1) * partSize),
          );
          return isClean ? stream(...parts).ends() : stream(...parts).breaks();
        },
    );
    const last: Reply = ({ headers }) => stream(after(headers.get('last-event-id')) + COMPLETE).ends();
    const { fetch } = scriptedFetch(...replies, last);
    const options = { url: '/graphql', fetch, backoff: { firstMs: 0, maxMs: 0 } };
    const results: unknown[] = [];
    for await (const result of createSubscriptions(options).iterate({ query: 'subscription { a }' }))
      results.push(result);
    expect(results).toEqual(log);
  });
  await fc.assert(property, { numRuns: propertyRuns(200) });
}, 60_000);
