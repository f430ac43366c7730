// Another client of Redis that writes invalid data: on the channels, into the logs, or in place of them.
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import type { Redis } from 'ioredis';
import type { World } from '../world.ts';
import { type HostileInput, requestBytes } from './input.ts';
import { hostileJson, hostileText, hostileValue } from './text.ts';

const envelope = fc.record(
  {
    id: fc.oneof(fc.constantFrom('1-k3f9ab01zz', '2-x'), hostileText, hostileValue),
    seq: fc.oneof(fc.constantFrom<unknown>(-1, 0, 1, 1.5, 2 ** 53, '1', null), hostileValue),
    type: fc.constantFrom<unknown>('llm_chunk', 'complete', 'nope', '__proto__', 1),
    ts: hostileValue,
    attempt: hostileValue,
    data: hostileValue,
  },
  { requiredKeys: [] },
);

const payload = fc.oneof(
  hostileJson,
  fc
    .record({ epoch: hostileText, events: fc.oneof(hostileValue, fc.array(envelope, { maxLength: 3 })) })
    .map((value) => JSON.stringify(value)),
);

const FIELDS = [
  'epoch',
  'head',
  'numbering',
  'attempt',
  'publisher',
  'takenAt',
  'fence',
  'end',
  'first',
  'bytes',
  'note',
  'batches',
];

export function redis(world: World): fc.Arbitrary<HostileInput> {
  const act = fc.oneof(
    fc.tuple(fc.constant('publish'), payload),
    fc.tuple(
      fc.constant('xadd'),
      fc.oneof(
        payload,
        envelope.map((value) => JSON.stringify(value)),
      ),
    ),
    fc.tuple(fc.constantFrom(...FIELDS.map((field) => `hset ${field}`)), hostileText),
    fc.tuple(
      fc.constantFrom('wrong type', 'no meta', 'no log', 'lease', 'alive', 'other field', 'low id'),
      hostileText,
    ),
  );
  const damaging = fc
    .tuple(
      act,
      fc.nat({ max: 3 }),
      fc.constantFrom('stream', 'graphql', 'append', 'state'),
      fc.nat({ max: 3 }),
    )
    .map(([[what, text], which, way, after]): HostileInput => {
      const { path, token } = world.damaged[which]!;
      const [, id] = path.split('/');
      const json = { Authorization: `Bearer ${world.jwt}`, 'Content-Type': 'application/json' };
      const kind = path.split('/')[0]!.slice(0, -1);
      const query = `subscription { ${kind}Stream(id: "${id}", after: "${after}") { id seq type ts attempt data } }`;
      const ways: Record<string, () => Buffer> = {
        stream: () =>
          requestBytes({ path: `/api/v0/executions/${path}/stream?last_event_id=${after}`, headers: json }),
        graphql: () =>
          requestBytes({
            path: '/graphql',
            headers: { ...json, Accept: 'text/event-stream' },
            body: JSON.stringify({ query }),
          }),
        append: () =>
          requestBytes({
            path: `/api/v0/executions/${path}/events`,
            headers: { ...json, 'Publisher-Token': token, 'Idempotency-Key': text.length.toString() },
            body: '{"events":[{"type":"warning","data":{"code":"X","message":"x"}}]}',
          }),
        state: () => requestBytes({ path: `/api/v0/executions/${path}`, headers: json }),
      };
      return {
        kind: 'redis',
        api: way === 'graphql' ? 'graphql' : 'rest',
        pieces: [ways[way]!()],
        before: (client) => damage(client, id!, what, text),
      };
    });

  /** A stream token with an invalid record. */
  const invalidRecord = fc
    .tuple(fc.stringMatching(/^[\w-]{43}$/), hostileJson)
    .map(([token, record]): HostileInput => {
      const key = `stream:token:${createHash('sha256').update(token).digest('base64url')}`;
      world.secrets.add(token);
      const path = `/api/v0/executions/${world.own[0]}/stream?access_token=${token}`;
      return {
        kind: 'redis',
        api: 'rest',
        pieces: [requestBytes({ path })],
        before: (client) => client.set(key, record, 'PX', 60_000),
      };
    });
  return fc.oneof({ weight: 9, arbitrary: damaging }, { weight: 1, arbitrary: invalidRecord });
}

/** Corrupts a log or its keys. A command that Redis rejects changes nothing, so its error is ignored. */
async function damage(client: Redis, id: string, what: string, text: string): Promise<void> {
  const [log, meta] = [`stream:log:{${id}}`, `stream:meta:{${id}}`];
  const [command, field] = what.split(' ');
  const commands: Record<string, () => Promise<unknown>> = {
    publish: () => client.publish(`stream:events:{${id}}`, text),
    xadd: () => client.xadd(log, '*', 'e', text),
    hset: () => client.hset(meta, field!, text),
    'wrong type': () => client.multi().del(log).set(log, text).exec(),
    'no meta': () => client.del(meta),
    'no log': () => client.del(log),
    lease: () => client.hset(`stream:lease:{${id}}`, 'holder', text),
    alive: () => client.zadd('stream:alive', Date.now() - 1e6, text),
    'other field': () => client.xadd(log, '*', 'f', text),
    'low id': () => client.multi().del(log).xadd(log, '1-1', 'e', text).exec(),
  };
  await (commands[what] ?? commands[command!])!().catch(() => {});
}
