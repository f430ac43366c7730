// The contents of an execution: a function of its seed and its attempt, so that mixing up two attempts is detected.
import { applyJsonPatch, type Json, type Operation } from '../../test/support/rfc6902.ts';
import type { ExecutionPlan } from '../plan.ts';
import { createRandom, type Random } from '../random.ts';

const WORDS =
  'harbour tide ebb flow moon quay rope lantern fog gull naïve café 潮 汐 🌊 — “swell” <b>pier</b> data: id: \\n {x}'.split(
    ' ',
  );

/** The pieces of a text. They include white space, empty lines and lines that look like SSE. */
export function textPieces({ seed, pieces, id, isHeavy }: ExecutionPlan, attempt: number): string[] {
  const random = createRandom(seed, 'text', attempt);
  return Array.from({ length: pieces }, (_, n) => {
    const words = Array.from({ length: random.integer(2, 8) }, () => random.pick(WORDS));
    const tail = random.pick([' ', ' ', '\n', '\n\n', '  ', '\t']);
    const content = words.join(' ').repeat(isHeavy ? 120 : 1);
    return n === 0 ? `${id} attempt ${attempt}\n` : content + tail;
  });
}

export interface GrowingValue {
  id: string;
  attempt: number;
  rows: { n: number; text: string; tags: string[] }[];
  summary: string;
}

/** The states of a growing value. The object is changed in place: use a state before requesting the next one. */
export function* valueStates({ seed, pieces, id }: ExecutionPlan, attempt: number): Generator<GrowingValue> {
  const random = createRandom(seed, 'value', attempt);
  const value: GrowingValue = { id, attempt, rows: [], summary: '' };
  for (let n = 0; n < pieces; n += 1) {
    const step = random.next();
    if (step < 0.5 || value.rows.length === 0) {
      value.rows.push({ n, text: random.pick(WORDS), tags: [] });
    } else if (step < 0.8) {
      value.rows.at(-1)!.tags.push(random.pick(WORDS));
    } else if (step < 0.9 && value.rows.length > 3) {
      value.rows.splice(random.integer(0, value.rows.length - 1), 1);
    } else {
      value.summary = `${random.pick(WORDS)} ${n}`;
    }
    if (value.rows.length > 40) value.rows = value.rows.slice(-5);
    yield value;
  }
}

export interface PatchBatch {
  /** One patch per event. */
  readonly patches: readonly (readonly Operation[])[];
  /** The value after the last patch. */
  readonly state: Json;
}

interface Section {
  readonly title: string;
  readonly items: readonly string[];
}

interface PatchedValue {
  readonly sections: readonly Section[];
  readonly archive: readonly Section[];
}

/**
 * A value that grows by patches whose operations build on each other, within one patch and across the events of one
 * batch. A server that modifies a patch while it validates it stores something else.
 */
export function* patchBatches({ seed, pieces, id }: ExecutionPlan, attempt: number): Generator<PatchBatch> {
  const random = createRandom(seed, 'patches', attempt);
  let state: Json = null;
  for (let n = 0; n < pieces; n += 1) {
    const patches =
      n === 0 || random.chance(0.02)
        ? [initialValue(random, id, attempt)]
        : nextPatches(random, state as unknown as PatchedValue, n);
    for (const patch of patches) state = applyJsonPatch(state, patch);
    yield { patches, state };
  }
}

/** Replaces the value, and adds to the new containers in the same patch. */
function initialValue(random: Random, id: string, attempt: number): Operation[] {
  const title = random.pick(WORDS);
  return [
    { op: 'add', path: '', value: { id, attempt, sections: [], archive: [], summary: {} } },
    { op: 'add', path: '/sections/-', value: { title, items: [] } },
    { op: 'add', path: '/sections/0/items/-', value: random.pick(WORDS) },
    { op: 'test', path: '/sections/0/title', value: title },
  ];
}

function nextPatches(random: Random, { sections, archive }: PatchedValue, n: number): Operation[][] {
  const word = () => random.pick(WORDS);
  const last = sections.length - 1;
  const step = random.next();
  if (archive.length > 6) {
    return [[{ op: 'remove', path: '/archive/0' }], [{ op: 'remove', path: '/archive/1' }]];
  }
  // Adds a container and fills it in the same patch.
  if (last < 0 || step < 0.3) {
    const at = `/sections/${last + 1}`;
    return [
      [
        { op: 'add', path: '/sections/-', value: { title: `${n}`, items: [] } },
        { op: 'add', path: `${at}/items/-`, value: word() },
        { op: 'add', path: `${at}/items/0`, value: word() },
        { op: 'copy', from: `${at}/items/1`, path: `${at}/items/-` },
        { op: 'test', path: `${at}/title`, value: `${n}` },
      ],
    ];
  }
  // The same, spread over the events of one batch.
  if (step < 0.55) {
    return [
      [{ op: 'replace', path: '/summary', value: { words: [word()] } }],
      [{ op: 'add', path: '/summary/words/-', value: word() }],
      [
        { op: 'copy', from: '/summary/words', path: '/summary/again' },
        { op: 'add', path: '/summary/again/0', value: { n, tags: [] } },
        { op: 'add', path: '/summary/again/0/tags/-', value: word() },
      ],
    ];
  }
  // Moves a value and then changes it at its new location: the previous state must not change with it.
  if (step < 0.75) {
    const to = `/archive/${archive.length}`;
    return [
      [
        { op: 'move', from: '/sections/0', path: '/archive/-' },
        { op: 'add', path: `${to}/items/-`, value: word() },
      ],
      [{ op: 'replace', path: `${to}/title`, value: `archived ${n}` }],
    ];
  }
  if (step < 0.9) {
    return [
      [
        { op: 'copy', from: `/sections/${last}`, path: '/sections/0' },
        { op: 'replace', path: '/sections/0/items', value: [] },
        { op: 'add', path: '/sections/0/items/0', value: word() },
      ],
    ];
  }
  return [[{ op: 'remove', path: `/sections/${last}` }]];
}
