// Every attack, in the order in which they run; the first is none, for comparison.
import type { Attack } from '../attack.ts';
import { CONNECTIONS } from './connections.ts';
import { FLOODS } from './floods.ts';
import { JSON_DEPTH } from './json-depth.ts';
import { LISTS } from './lists.ts';
import { PATCH_BOMBS } from './patch-bombs.ts';
import { SMALL_PATCHES } from './small-patches.ts';
import { TREE_QUERIES } from './tree-queries.ts';

export const ATTACKS: readonly Attack[] = [
  {
    id: '0',
    title: 'no attack',
    run: (arms) => arms.lanes(1, () => new Promise((resolve) => setTimeout(resolve, 50))),
  },
  ...PATCH_BOMBS,
  ...SMALL_PATCHES,
  ...TREE_QUERIES,
  ...LISTS,
  ...JSON_DEPTH,
  ...CONNECTIONS,
  ...FLOODS,
];

/** Chosen by id (`5a`) or by number (`5`); all where nothing is chosen. @throws Error for an unknown one. */
export function chooseAttacks(only: readonly string[] | undefined): readonly Attack[] {
  if (only === undefined) return ATTACKS;
  const matches = (id: string, wanted: string) => id === wanted || id.replace(/[a-z]$/, '') === wanted;
  const unknown = only.find((wanted) => !ATTACKS.some(({ id }) => matches(id, wanted)));
  if (unknown !== undefined) {
    throw new Error(`--only ${unknown}: expected some of ${ATTACKS.map(({ id }) => id).join(', ')}`);
  }
  return ATTACKS.filter(({ id }) => only.some((wanted) => matches(id, wanted)));
}
