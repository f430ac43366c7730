// Group 6: many cheap patches on a value of 1 MB.
import type { Attack, AttackContext, Publication } from '../attack.ts';

/** The maximum number of events in a batch. */
const EVENTS = 1_000;
const LEVELS = 100;
/** Twelve-digit numbers in each of 20 arrays, below the limit of 100,000 nested values. */
const NUMBERS = 4_000;

/** Valid batches that build a value of about 1 MB, and a small patch of it. */
interface Shape {
  readonly name: string;
  readonly build: readonly (readonly object[])[];
  patchAt(i: number): object;
}

const SHAPES: readonly Shape[] = [
  {
    name: 'numbers',
    build: [
      [{ op: 'add', path: '', value: {} }],
      ...Array.from({ length: 20 }, (_, n) => [
        { op: 'add', path: `/n${n}`, value: Array.from({ length: NUMBERS }, (_, i) => 1e11 + i) },
      ]),
    ],
    patchAt: (i) => ({ op: 'replace', path: `/n${i % 20}/${(i * 7) % NUMBERS}`, value: i }),
  },
  {
    name: 'keys',
    build: [
      [{ op: 'add', path: '', value: {} }],
      ...Array.from({ length: 20 }, (_, n) =>
        Array.from({ length: 250 }, (_, i) => ({
          op: 'add',
          path: `/k${n * 250 + i}`,
          value: 'v'.repeat(190),
        })),
      ),
    ],
    patchAt: (i) => ({ op: 'replace', path: `/k${(i * 7) % 5_000}`, value: `${i}` }),
  },
  {
    name: 'deep',
    build: [
      [{ op: 'add', path: '', value: {} }],
      ...Array.from({ length: LEVELS }, (_, level) => [
        { op: 'add', path: `${'/a'.repeat(level)}/a`, value: { text: 'd'.repeat(10_000) } },
      ]),
    ],
    patchAt: (i) => ({ op: 'replace', path: `${'/a'.repeat(1 + (i % LEVELS))}/text`, value: `${i}` }),
  },
];

async function build(context: AttackContext, id: string, shape: Shape): Promise<Publication> {
  const publication = await context.begin(id);
  // The limit is 256 KiB for a batch.
  for (let at = 0; at < shape.build.length; at += 4) {
    const { status, text } = await publication.patch(shape.build.slice(at, at + 4));
    if (status !== 200) throw new Error(`building ${id}: ${status} ${text.slice(0, 200)}`);
  }
  return publication;
}

const open: { publication: Publication; shape: Shape; batches: number }[] = [];

export const SMALL_PATCHES: readonly Attack[] = [
  {
    id: '6a',
    title: '1,000 small patches per batch on values of 1 MB (numbers, keys, deep paths)',
    async prepare(context) {
      for (const shape of SHAPES) {
        open.push({ publication: await build(context, `large-${shape.name}`, shape), shape, batches: 0 });
      }
    },
    run: (context) =>
      context.lanes(open.length, async (n) => {
        const each = open[n]!;
        each.batches += 1;
        const patches = Array.from({ length: EVENTS }, (_, i) => each.shape.patchAt(i + each.batches));
        // Alternates between one operation in each of many events and many operations in one event.
        await each.publication.patch(each.batches % 2 ? patches.map((patch) => [patch]) : [patches]);
      }),
  },
  {
    id: '6b',
    title: 'a growing number of executions with a value of 1 MB each',
    run: (context) =>
      context.lanes(4, async (n) => {
        const publication = await build(context, `kept-${n}-${Math.random()}`, SHAPES[0]!);
        await publication.patch([[SHAPES[0]!.patchAt(1)]]);
      }),
  },
  {
    id: '6c',
    title: '500 copies and removals of 48 KB per batch, inside a value of 1 MB',
    async prepare(context) {
      for (const n of [1, 2]) {
        const shape = SHAPES[0]!;
        open.push({ publication: await build(context, `copied-${n}`, shape), shape, batches: 0 });
      }
    },
    run: (context) =>
      context.lanes(open.length, async (n) => {
        const pair = [
          { op: 'copy', from: '/n0', path: '/x' },
          { op: 'remove', path: '/x' },
        ];
        await open[n]!.publication.patch([Array.from({ length: EVENTS / 2 }, () => pair).flat()]);
      }),
  },
];
