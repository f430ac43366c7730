// Structured values published with the library: the log and the row both yield the value passed to `value()`, checked
// with an independent implementation of RFC 6902. The values themselves are not changed.
//
//   PATCH_CASES=100000 npm test -- test/publish/patch-property
import { expect, test } from 'vitest';
import { type App, createApp } from '../support/app.ts';
import { finalState, type PatchCase, patchCases } from '../support/patch-cases.ts';
import { checkCases, PATCH_CASES, PATCH_SEED, PATCH_TIMEOUT_MS } from '../support/property.ts';
import { applyJsonPatch, copyJson, type Json, type Operation } from '../support/rfc6902.ts';

/** A memory log keeps ended executions for an hour. */
const CASES_PER_APP = 500;

test(
  `the log and the row yield the values that were published, and no value is changed (${PATCH_CASES} random cases, PATCH_SEED=${PATCH_SEED})`,
  async () => {
    // Batching is disabled: `complete` sends the queued events anyway.
    let app = createApp({ limits: { batchMs: 0 } });
    let count = 0;
    try {
      await checkCases(patchCases, async (each) => {
        count += 1;
        if (count % CASES_PER_APP === 0) {
          await app.close();
          app = createApp({ limits: { batchMs: 0 } });
        }
        await publish(app, `case-${count}`, each);
      });
    } finally {
      await app.close();
    }
  },
  PATCH_TIMEOUT_MS,
);

async function publish(app: App, id: string, each: PatchCase): Promise<void> {
  const run = await app.publisher.begin({ id, kind: 'agent', mode: 'STRUCTURED', agentId: 'writer' });
  for (const state of each.states) {
    const value = deepFrozen(copyJson(state));
    await run.value(value);
    expect(value, 'the value after it was published').toEqual(state);
  }
  expect(await run.complete()).toBe(true);

  const page = await app.log.read(id, 0, 1_000);
  let folded: Json = null;
  for (const event of page!.events) {
    if (event.type === 'structured_delta') {
      folded = applyJsonPatch(folded, event.data.patch as readonly Operation[]);
    }
  }
  const end = page!.events.at(-1)!;
  const value = finalState(each);
  expect(folded, 'the value of the log').toEqual(value);
  expect(end, 'the result in `complete`').toMatchObject({ type: 'complete', data: { result: value } });
  expect((await app.store.get(id))?.result, 'the result on the row').toEqual(value);
}

function deepFrozen<T extends Json>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(value).forEach(deepFrozen);
  return Object.freeze(value);
}
