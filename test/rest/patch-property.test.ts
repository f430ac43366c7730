// Structured values over HTTP: the log, a viewer's folded state and the row equal the value sent, according to an
// implementation of RFC 6902 that is independent of the product's.
//
//   PATCH_CASES=100000 npm test -- test/rest/patch-property     the full run
//   PATCH_SEED=42 npm test -- test/rest/patch-property          the same cases again
import { createParser } from 'eventsource-parser';
import { expect, test } from 'vitest';
import { type App, createApp } from '../support/app.ts';
import { finalState, type PatchCase, patchCases } from '../support/patch-cases.ts';
import { checkCases, PATCH_CASES, PATCH_SEED, PATCH_TIMEOUT_MS } from '../support/property.ts';
import { applyJsonPatch, type Json, type Operation } from '../support/rfc6902.ts';

/** A memory log keeps ended executions for an hour, so a new app replaces a full one. */
const CASES_PER_APP = 500;

/** The outcome of one case: the same value, read in four places. */
interface Outcome {
  /** The patches of the log's events, in order. */
  readonly stored: readonly (readonly Operation[])[];
  readonly folded: Json;
  readonly completed: unknown;
  readonly row: unknown;
}

test(
  `a structured value sent over HTTP is stored, viewed and kept as it was sent (${PATCH_CASES} random cases, PATCH_SEED=${PATCH_SEED})`,
  async () => {
    let app = createApp();
    let count = 0;
    try {
      await checkCases(patchCases, async (patchCase) => {
        count += 1;
        if (count % CASES_PER_APP === 0) {
          await app.close();
          app = createApp();
        }
        expectAsSent(patchCase, await publish(app, `case-${count}`, patchCase));
      });
    } finally {
      await app.close();
    }
  },
  PATCH_TIMEOUT_MS,
);

test('an item added to an array of the same patch is stored once', async () => {
  await using app = createApp();
  const patch = [
    { op: 'add', path: '', value: { items: [1] } },
    { op: 'add', path: '/items/-', value: 2 },
  ];
  const outcome = await publish(app, 'a1', { batches: [[patch]], states: [{ items: [1, 2] }] });
  expect(outcome).toEqual({
    stored: [patch],
    folded: { items: [1, 2] },
    completed: { items: [1, 2] },
    row: { items: [1, 2] },
  });
});

test('an item added to an array of an earlier event of the same batch is stored once', async () => {
  await using app = createApp();
  const first = [{ op: 'add', path: '', value: { items: [1], copy: {} } }];
  const second = [
    { op: 'add', path: '/items/-', value: 2 },
    { op: 'copy', from: '/items', path: '/copy/items' },
    { op: 'add', path: '/copy/items/0', value: 0 },
  ];
  const value = { items: [1, 2], copy: { items: [0, 1, 2] } };
  const outcome = await publish(app, 'a1', { batches: [[first, second]], states: [value] });
  expect(outcome).toEqual({ stored: [first, second], folded: value, completed: value, row: value });
});

function expectAsSent(patchCase: PatchCase, outcome: Outcome): void {
  const value = finalState(patchCase);
  expect(outcome.stored, 'the patches in the log').toEqual(patchCase.batches.flat());
  expect(outcome.folded, 'the value that a viewer folds').toEqual(value);
  expect(outcome.completed, 'the result in `complete`').toEqual(value);
  expect(outcome.row, 'the result of the row').toEqual(value);
}

/** Publishes a case as a worker would, with a viewer from the start. */
async function publish(app: App, id: string, { batches }: PatchCase): Promise<Outcome> {
  // A separate caller, so that quotas of callers do not interfere.
  const caller = { id, scopes: ['read', 'publish'], claims: {} } as const;
  const path = `/api/v0/executions/agents/${id}`;
  const send = async (method: string, to: string, body: unknown, headers = {}) => {
    const init = {
      method,
      body: JSON.stringify(body),
      headers: { 'Content-Type': 'application/json', ...headers },
    };
    const response = await app.request(to, init, caller);
    const text = await response.text();
    if (!response.ok)
      throw new Error(`${method} ${to}: ${response.status} ${text} for ${JSON.stringify(body)}`);
    return JSON.parse(text);
  };
  const { token } = await send('PUT', path, { mode: 'STRUCTURED', agentId: 'writer' });
  const stream = await app.request(`${path}/stream`, { headers: { Accept: 'text/event-stream' } }, caller);
  const viewedText = stream.text();
  let key = 0;
  const append = (events: readonly object[]) => {
    key += 1;
    const headers = { 'Publisher-Token': token, 'Idempotency-Key': `${key}` };
    return send('POST', `${path}/events`, { events }, headers);
  };
  for (const events of batches) {
    await append(events.map((patch) => ({ type: 'structured_delta', data: { patch } })));
  }
  await append([{ type: 'complete', data: {} }]);
  const page = await app.log.read(id, 0, 1_000);
  const row = (await (await app.request(path, {}, caller)).json()) as { result: unknown };
  const stored = page!.events.flatMap((event) =>
    event.type === 'structured_delta' ? [event.data.patch as readonly Operation[]] : [],
  );
  return { stored, ...foldStream(await viewedText), row: row.result };
}

function foldStream(text: string): Pick<Outcome, 'folded' | 'completed'> {
  let folded: Json = null;
  let completed: unknown;
  const parser = createParser({
    onEvent: ({ event, data }) => {
      if (event === 'structured_delta') folded = applyJsonPatch(folded, JSON.parse(data).patch);
      if (event === 'complete') completed = JSON.parse(data).result;
    },
  });
  parser.feed(text);
  return { folded, completed };
}
