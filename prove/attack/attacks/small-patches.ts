// Item 6: many small patches, each cheap in itself, on a value of a megabyte.
import type { Arms, Attack, Publication } from '../attack.ts';

/** The most events that one batch may have. */
const EVENTS = 1_000;
const LEVELS = 100;
/** Of twelve digits, in each of 20 arrays: a value may hold 100,000 values. */
const NUMBERS = 4_000;

/** Legal batches that build a value of about 1 MB, and a small patch of it. */
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

async function build(arms: Arms, id: string, shape: Shape): Promise<Publication> {
  const publication = await arms.begin(id);
  // A batch is at most 256 KiB, and an event 64 KiB.
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
    title: '1,000 small patches a batch on values of 1 MB (numbers, keys, deep paths)',
    async prepare(arms) {
      for (const shape of SHAPES) {
        open.push({ publication: await build(arms, `large-${shape.name}`, shape), shape, batches: 0 });
      }
    },
    run: (arms) =>
      arms.lanes(open.length, async (n) => {
        const each = open[n]!;
        each.batches += 1;
        const patches = Array.from({ length: EVENTS }, (_, i) => each.shape.patchAt(i + each.batches));
        // As many events with one operation, and one event with as many operations.
        await each.publication.patch(each.batches % 2 ? patches.map((patch) => [patch]) : [patches]);
      }),
  },
  {
    id: '6b',
    title: 'ever more executions with a value of 1 MB each',
    run: (arms) =>
      arms.lanes(4, async (n) => {
        const publication = await build(arms, `kept-${n}-${Math.random()}`, SHAPES[0]!);
        await publication.patch([[SHAPES[0]!.patchAt(1)]]);
      }),
  },
  {
    id: '6c',
    title: '500 copies and removals of 48 KB a batch, inside a value of 1 MB',
    async prepare(arms) {
      for (const n of [1, 2]) {
        const shape = SHAPES[0]!;
        open.push({ publication: await build(arms, `copied-${n}`, shape), shape, batches: 0 });
      }
    },
    run: (arms) =>
      arms.lanes(open.length, async (n) => {
        const pair = [
          { op: 'copy', from: '/n0', path: '/x' },
          { op: 'remove', path: '/x' },
        ];
        await open[n]!.publication.patch([Array.from({ length: EVENTS / 2 }, () => pair).flat()]);
      }),
  },
];
