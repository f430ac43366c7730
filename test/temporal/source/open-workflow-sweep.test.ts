// The requests of the sweep for workflows without viewers, with a fake Temporal.
import { afterEach, expect, test } from 'vitest';
import { createMemoryLog } from '../../../src/log/memory.ts';
import { createOpenWorkflowSweep } from '../../../src/temporal/source/open-workflow-sweep.ts';
import { createMemoryStore } from '../../support/memory-store.ts';
import { until } from '../../support/wait.ts';

let stop = () => {};
afterEach(() => stop());

/** Sweeps over rows with these ids, whose first run is `r`. */
async function sweep(ids: readonly string[]) {
  const [log, store] = [createMemoryLog(), createMemoryStore()];
  for (const id of ids) {
    await store.begin({ id, kind: 'workflow', mode: 'STRUCTURED', workflowId: id, runId: 'r' });
  }
  /** The open runs that visibility knows; undefined if it is not available. */
  let open: Map<string, string> | undefined = new Map(ids.map((id) => [id, 'r']));
  const lists: string[][] = [];
  const checked: string[] = [];
  const unresolved = new Set<string>();
  const start = createOpenWorkflowSweep({
    ...{ log, store, sweepMs: 20, isFollowed: (id) => id === 'followed' },
    temporal: {
      async openRuns(namespace, workflowIds) {
        lists.push([...workflowIds]);
        if (!open || namespace !== 'orders') throw new Error('no visibility');
        return new Map([...open].filter(([id]) => workflowIds.includes(id)));
      },
    },
    async refOf({ id }) {
      if (unresolved.has(id)) throw new Error('hook failed');
      return { namespace: 'orders', workflowId: id };
    },
    async latest(row) {
      checked.push(row.id);
      return row;
    },
  });
  const begin = () => {
    stop = start();
  };
  const setOpen = (change: (runs: Map<string, string>) => Map<string, string> | undefined) => {
    open = change(open!);
  };
  return { lists, checked, unresolved, begin, setOpen };
}

const range = (count: number) => Array.from({ length: count }, (_, i) => `w${`${i}`.padStart(4, '0')}`);

test('one request lists up to 200 open workflows, and none of them is described', async () => {
  const { lists, checked, begin } = await sweep([...range(450), 'followed']);
  begin();
  await until(() => lists.length >= 6);
  expect(lists.slice(0, 6).map(({ length }) => length)).toEqual([200, 200, 50, 200, 200, 50]);
  expect(lists.flat()).not.toContain('followed');
  expect(checked).toEqual([]);
});

test('a workflow that is not listed as open is checked', async () => {
  const { checked, begin, setOpen } = await sweep(['a', 'b', 'c']);
  setOpen((runs) => {
    runs.delete('b');
    return runs;
  });
  begin();
  await until(() => checked.length >= 2);
  expect(new Set(checked)).toEqual(new Set(['b']));
});

test('a workflow whose open run is another one than that of the row is checked once a minute', async () => {
  const { lists, checked, begin, setOpen } = await sweep(['a', 'b']);
  setOpen((runs) => runs.set('a', 'r2'));
  begin();
  await until(() => lists.length >= 4);
  expect(checked).toEqual(['a']);
  setOpen((runs) => runs.set('a', 'r3'));
  await until(() => checked.length === 2);
  expect(checked).toEqual(['a', 'a']);
});

test('an id with a quote is not listed, and one whose hook fails does not stop the others', async () => {
  const { lists, checked, unresolved, begin } = await sweep(["it's", 'back\\slash', 'lost', 'plain']);
  unresolved.add('lost');
  begin();
  await until(() => checked.length >= 3);
  expect(lists[0]).toEqual(['plain']);
  expect(checked.slice(0, 3).sort()).toEqual(['back\\slash', "it's", 'lost']);
});

test('without visibility, each sweep checks 200 workflows and the next one continues after them', async () => {
  const { checked, begin, setOpen } = await sweep(range(450));
  setOpen(() => undefined);
  begin();
  await until(() => checked.length >= 650);
  expect(checked.slice(0, 450)).toEqual(range(450));
  expect(checked.slice(450, 650)).toEqual(range(200));
});
