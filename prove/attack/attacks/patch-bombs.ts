// Group 5: patches whose result is far larger, or far deeper, than the request.
import type { Attack, Publication } from '../attack.ts';

/** Each `copy` of the root into itself doubles the value. */
function doublings(count: number, from = 0): object[] {
  return Array.from({ length: count }, (_, i) => ({
    op: 'copy',
    from: '',
    path: `/${String.fromCharCode(97 + ((from + i) % 26))}${Math.floor((from + i) / 26) || ''}`,
  }));
}

const SEED = { op: 'add', path: '', value: { seed: ['patch bomb'] } };

/** 26 copies fit into 1,100 bytes; with fewer, a server is blocked instead of running out of memory. */
const bomb = (copies: number): Pick<Attack, 'run'> => ({
  run: (context) =>
    context.lanes(2, async (n) => {
      const publication = await context.begin(`bomb-${n}-${Math.random()}`);
      await publication.patch([[SEED, ...doublings(copies)]]);
    }),
});

export const PATCH_BOMBS: readonly Attack[] = [
  { id: '5a', title: '26 doubling copies in one batch', ...bomb(26) },
  { id: '5b', title: '19 doubling copies in one batch', ...bomb(19) },
  {
    id: '5c',
    title: 'one doubling copy per batch, over many batches',
    run: (context) => {
      const open = new Map<number, { publication: Publication; copies: number }>();
      return context.lanes(4, async (n) => {
        const current = open.get(n) ?? {
          publication: await context.begin(`spread-${n}-${Math.random()}`),
          copies: 0,
        };
        open.set(n, current);
        const patch = current.copies === 0 ? [SEED] : doublings(1, current.copies);
        current.copies += 1;
        const { status } = await current.publication.patch([patch]);
        if (status !== 200) open.delete(n);
      });
    },
  },
  {
    id: '5d',
    title: 'values that become 10,000 levels deep, 500 per batch',
    run: (context) => {
      const open = new Map<number, Publication>();
      return context.lanes(4, async (n) => {
        const current = open.get(n) ?? (await context.begin(`deep-${n}-${Math.random()}`));
        if (!open.has(n)) await current.patch([[{ op: 'add', path: '', value: { a: 1, b: { a: 1 } } }]]);
        open.set(n, current);
        // Moved into a new container, the value becomes one level deeper.
        const wrap = [
          { op: 'copy', from: '/a', path: '/b/a' },
          { op: 'copy', from: '/b', path: '/a' },
        ];
        const { status } = await current.patch([Array.from({ length: 500 }, () => wrap).flat()]);
        if (status !== 200) open.delete(n);
      });
    },
  },
  {
    id: '5e',
    title: 'arrays of 120,000 elements, which are split into one operation per element',
    run: (context) => {
      const value = Array.from({ length: 120_000 }, (_, i) => i % 10);
      return context.lanes(2, async (n) => {
        const publication = await context.begin(`wide-${n}-${Math.random()}`);
        await publication.patch([[{ op: 'add', path: '', value }]]);
      });
    },
  },
];
