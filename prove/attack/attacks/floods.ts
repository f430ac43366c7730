// Group 11: one caller begins, publishes, queries and reserves as fast as the server responds.
import type { Attack, Publication } from '../attack.ts';
import type { Caller } from '../caller.ts';

const LANES = 50;
const VIEWERS = 300;

const CHUNK = { type: 'llm_chunk', data: { content: 'x' } };

const publications: Publication[] = [];

/** The documents differ, so that no two viewers share a GraphQL execution. */
function watch(n: number): string {
  const fields = ['id', 'seq', 'type', 'ts', 'executionId', 'attempt', 'data'];
  const chosen = fields.filter((_, i) => (n >> i) & 1);
  return `subscription { agentStream(id: "watched") { __typename a${n}: id ${chosen.join(' ')} } }`;
}

/** Reads a stream until its connection ends. */
async function view(caller: Caller, n: number): Promise<void> {
  await caller.graphql(watch(n), {}, { headers: { accept: 'text/event-stream' }, timeoutMs: 600_000 });
}

export const FLOODS: readonly Attack[] = [
  {
    id: '11a',
    title: 'a flood of begins, half of them new attempts of a few executions',
    run: (context) =>
      context.lanes(LANES, (n) =>
        context.attacker.call(`/api/v0/executions/agents/flood-${n % 2 ? n : Math.random()}`, {
          method: 'PUT',
          body: { mode: 'TEXT', agentId: 'flood' },
        }),
      ),
  },
  {
    id: '11b',
    title: 'a flood of batches',
    async prepare(context) {
      for (let n = 0; n < 20; n += 1)
        publications.push(await context.begin(`batches-${n}`, { mode: 'TEXT' }));
    },
    run: (context) =>
      context.lanes(LANES, (n) =>
        publications[n % publications.length]!.post(Array.from({ length: 200 }, () => CHUNK)),
      ),
  },
  {
    id: '11c',
    title: 'a flood of queries',
    run: (context) => {
      const aliases = Array.from({ length: 900 }, (_, i) => `a${i}:__typename`).join(' ');
      return context.lanes(LANES, (n) =>
        context.attacker.graphql(
          n % 2
            ? `{ executions(first: 100) { edges { node { id name status lastCursor } } } }`
            : `{ ${aliases} }`,
        ),
      );
    },
  },
  {
    id: '11d',
    title: 'a flood of stream tokens',
    async prepare(context) {
      await context.begin('named', { mode: 'TEXT' });
    },
    run: (context) =>
      context.lanes(LANES, () =>
        context.attacker.call('/api/v0/stream-tokens', { body: { executions: ['named'] } }),
      ),
  },
  {
    id: '11e',
    title: 'a flood of single-connection reservations',
    run: (context) =>
      context.lanes(LANES, () => context.attacker.call('/graphql/stream', { method: 'PUT', body: '' })),
  },
  {
    id: '11f',
    title: '300 viewers with 300 documents on one execution that receives events',
    async prepare(context) {
      publications.push(await context.begin('watched', { mode: 'TEXT' }));
    },
    run: async (context) => {
      const viewers = context.caller({ sub: 'viewers', scope: 'read' });
      // One caller's agent is limited in its connections; the other viewers wait for one.
      const others = context.caller({ sub: 'viewers', scope: 'read' });
      for (let n = 0; n < VIEWERS; n += 1) void view(n % 2 ? viewers : others, n);
      await context.lanes(2, () => publications[0]!.post(Array.from({ length: 100 }, () => CHUNK)));
    },
  },
];
