// All attacks, in the order in which they run. The first one does nothing, for comparison.
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
    run: (context) => context.lanes(1, () => new Promise((resolve) => setTimeout(resolve, 50))),
  },
  ...PATCH_BOMBS,
  ...SMALL_PATCHES,
  ...TREE_QUERIES,
  ...LISTS,
  ...JSON_DEPTH,
  ...CONNECTIONS,
  ...FLOODS,
];

/** Selects by id (`5a`) or by number (`5`); all if `only` is absent. @throws Error for an unknown one. */
export function chooseAttacks(only: readonly string[] | undefined): readonly Attack[] {
  if (only === undefined) return ATTACKS;
  const matches = (id: string, selector: string) => id === selector || id.replace(/[a-z]$/, '') === selector;
  const unknown = only.find((selector) => !ATTACKS.some(({ id }) => matches(id, selector)));
  if (unknown !== undefined) {
    throw new Error(`--only ${unknown}: expected a subset of ${ATTACKS.map(({ id }) => id).join(', ')}`);
  }
  return ATTACKS.filter(({ id }) => only.some((selector) => matches(id, selector)));
}
