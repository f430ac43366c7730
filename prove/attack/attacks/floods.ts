// Item 11: one caller who begins, publishes, queries and reserves as fast as the server answers.
import type { Attack, Publication } from '../attack.ts';
import type { Caller } from '../caller.ts';

const LANES = 50;
const VIEWERS = 300;

const CHUNK = { type: 'llm_chunk', data: { content: 'x' } };

const publications: Publication[] = [];

/** Documents that differ, so that no two viewers share an execution of GraphQL. */
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
    run: (arms) =>
      arms.lanes(LANES, (n) =>
        arms.attacker.call(`/api/v0/executions/agents/flood-${n % 2 ? n : Math.random()}`, {
          method: 'PUT',
          body: { mode: 'TEXT', agentId: 'flood' },
        }),
      ),
  },
  {
    id: '11b',
    title: 'a flood of batches',
    async prepare(arms) {
      for (let n = 0; n < 20; n += 1) publications.push(await arms.begin(`batches-${n}`, { mode: 'TEXT' }));
    },
    run: (arms) =>
      arms.lanes(LANES, (n) =>
        publications[n % publications.length]!.post(Array.from({ length: 200 }, () => CHUNK)),
      ),
  },
  {
    id: '11c',
    title: 'a flood of queries',
    run: (arms) => {
      const aliases = Array.from({ length: 900 }, (_, i) => `a${i}:__typename`).join(' ');
      return arms.lanes(LANES, (n) =>
        arms.attacker.graphql(
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
    async prepare(arms) {
      await arms.begin('named', { mode: 'TEXT' });
    },
    run: (arms) =>
      arms.lanes(LANES, () =>
        arms.attacker.call('/api/v0/stream-tokens', { body: { executions: ['named'] } }),
      ),
  },
  {
    id: '11e',
    title: 'a flood of single-connection reservations',
    run: (arms) =>
      arms.lanes(LANES, () => arms.attacker.call('/graphql/stream', { method: 'PUT', body: '' })),
  },
  {
    id: '11f',
    title: '300 viewers with 300 documents on one execution that is published to',
    async prepare(arms) {
      publications.push(await arms.begin('watched', { mode: 'TEXT' }));
    },
    run: async (arms) => {
      const viewers = arms.caller({ sub: 'viewers', scope: 'read' });
      // As many connections as one caller's agent opens; what is left waits for one.
      const others = arms.caller({ sub: 'viewers', scope: 'read' });
      for (let n = 0; n < VIEWERS; n += 1) void view(n % 2 ? viewers : others, n);
      await arms.lanes(2, () => publications[0]!.post(Array.from({ length: 100 }, () => CHUNK)));
    },
  },
];
