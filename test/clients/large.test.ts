// Large contents through readers with their default settings: complete, or explicitly omitted. Several of them, and
// scanners in other languages, cannot read a message above 64 KiB.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describePostgres } from '../support/postgres.ts';
import { describeOwnRedis } from '../support/redis.ts';
import { openSse } from '../support/sse.ts';
import { createClients } from './all-clients.ts';
import { restPath } from './rest-clients.ts';
import { watchAll } from './watch-all.ts';
import { type Publishing, startWorld, type World } from './world.ts';

const WORDS = 'Größe und Länge, "quoted"\n';
const TEXT = WORDS.repeat(1_000_000 / WORDS.length);
const RESULT = { text: 'r'.repeat(200_000) };
const VALUE = { rows: Array.from({ length: 3_000 }, (_, i) => ({ i, name: 'n'.repeat(80) })) };

const CONTENTS: [name: string, mode: 'TEXT' | 'STRUCTURED', publish: (p: Publishing) => Promise<unknown>][] =
  [
    ['a text of 1 MB', 'TEXT', ({ run }) => run.text(TEXT)],
    [
      'a tool result of 200 KB',
      'TEXT',
      ({ run }) => run.toolCall({ toolCallId: 't', toolName: 'read', status: 'succeeded', result: RESULT }),
    ],
    ['a value of 300 KB', 'STRUCTURED', ({ run }) => run.value(VALUE)],
  ];

/** Hive decodes each piece of a response separately, which damages characters between two of them (docs/graphql.md). */
const isDecodedWrongly = (client: string, cell: string) =>
  client.startsWith('Hive Gateway') && cell === 'wrong text';

const all = await createClients();
afterAll(() => all[Symbol.asyncDispose]());

describePostgres('with Postgres', () => {
  describeOwnRedis('and Redis', () => {
    let world: World;
    beforeAll(async () => {
      world = await startWorld();
    });
    afterAll(() => world?.[Symbol.asyncDispose]());

    describe.each(CONTENTS)('%s', (name, mode, publish) => {
      test('reaches every reader', async () => {
        const publishing = await world.begin(name.replaceAll(' ', '-'), mode);
        const { url } = world.server;
        const errors = new Map<string, unknown>();
        const cells = await watchAll(
          url,
          publishing,
          all.clients,
          async () => void (await publish(publishing)),
          (client, error) => errors.set(client, error),
        );
        const wrong = [...cells].filter(([client, cell]) => cell !== 'ok' && !isDecodedWrongly(client, cell));
        expect(wrong.map(([client, cell]) => [client, cell, errors.get(client)])).toEqual([]);
      }, 60_000);

      test('is sent in messages of up to 60 KiB', async () => {
        using stream = await openSse(world.server.url + restPath(name.replaceAll(' ', '-')));
        await stream.ended(20_000);
        const sizes = stream.text.split('\n\n').map((message) => Buffer.byteLength(message));
        expect(Math.max(...sizes)).toBeLessThanOrEqual(60 * 1_024);
      }, 30_000);
    });

    test('a tool result that is too large is omitted explicitly', async () => {
      using stream = await openSse(world.server.url + restPath('a-tool-result-of-200-KB'));
      await stream.ended(20_000);
      const { data } = stream.frames.find(({ event }) => event === 'tool_call')!;
      expect(JSON.parse(data)).toMatchObject({ toolCallId: 't', resultOmitted: true });
    });
  });
});
