// Random, legal JSON Patches whose operations build on each other: inside one patch, across the events of one batch, and
// across batches. Every container that is added may be added to, moved, copied and removed by what follows.
import fc from 'fast-check';
import { applyJsonPatch, copyJson, formatPointer, type Json, type Operation } from './rfc6902.ts';

export interface PatchCase {
  /** Batches of events; the patch of each event. */
  readonly batches: readonly (readonly (readonly Operation[])[])[];
  /** The value after each event, by the reference implementation; it starts as `null`. */
  readonly states: readonly Json[];
}

/** The value after the last event. */
export function finalState({ states }: PatchCase): Json {
  return states.at(-1)!;
}

/** Far below every limit of the server: the cases are about correctness. */
const MAX_VALUE_CHARS = 2_000;
const MAX_DEPTH = 12;

const KEYS = [
  'a',
  'b',
  'items',
  '',
  '~',
  '/',
  'm~n/o',
  '~1',
  '0',
  '1',
  '-',
  'ключ',
  'constructor',
  'toString',
];

const anyValue: fc.Arbitrary<Json> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom<Json>(
      ...[{ items: [1] }, { items: [] }, [], {}, [[]], [{}, []], { a: { b: [] } }, [1, 2, 3]],
      ...[
        { a: 1, b: { items: [{ a: null }] } },
        { '~': ['/'], '': {} },
      ],
    ),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom<Json>(
      ...[null, true, false, 0, 1, -1, 1.5, 1e308, 1e-7, 2 ** 53 - 1, '', 'a', 'é🌊', '~1', '\n'],
    ),
  },
  {
    weight: 1,
    arbitrary: fc.dictionary(fc.constantFrom(...KEYS), fc.array(fc.nat(9), { maxLength: 3 }), { maxKeys: 3 }),
  },
);

/** Copies: no two operations share an object. */
const value = anyValue.map(copyJson);

/** Numbers from which an operation is chosen, whatever the value looks like by then. */
const step = fc.record({ kind: fc.nat(19), a: fc.nat(999), b: fc.nat(999), value });
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const event = fc.array(step, { minLength: 1, maxLength: 8 });
const batch = fc.array(event, { minLength: 1, maxLength: 4 });

/** Cases of up to four batches of up to four events of up to eight operations. */
export const patchCases: fc.Arbitrary<PatchCase> = fc
  .array(batch, { minLength: 1, maxLength: 4 })
  .map((batches) => {
    let current: Json = null;
    const states: Json[] = [];
    const sent = batches.map((events) =>
      events.map((steps) => {
        const patch = steps.map((each) => {
          const operation = operationOf(current, each);
          current = applyJsonPatch(current, [operation]);
          return operation;
        });
        states.push(copyJson(current));
        return patch;
      }),
    );
    return { batches: sent, states };
  });

interface Location {
  readonly tokens: readonly (string | number)[];
  readonly value: Json;
}

function operationOf(document: Json, { kind, a, b, value: given }: Step): Operation {
  const locations = locationsIn(document);
  const chosen = locations[a % locations.length]!;
  const inner = locations[1 + (a % Math.max(1, locations.length - 1))];
  const path = formatPointer(chosen.tokens);
  const isLarge =
    JSON.stringify(document).length > MAX_VALUE_CHARS ||
    locations.some(({ tokens }) => tokens.length > MAX_DEPTH);
  if (isLarge) {
    return inner
      ? { op: 'remove', path: formatPointer(inner.tokens) }
      : { op: 'replace', path: '', value: null };
  }
  if (document === null || inner === undefined) return adding(document, a, b, given);
  if (kind < 9) return adding(document, a, b, given);
  if (kind < 11) return { op: 'replace', path, value: given };
  if (kind < 13) return { op: 'remove', path: formatPointer(inner.tokens) };
  if (kind < 15) return moving(document, formatPointer(inner.tokens), b);
  if (kind < 17) return { op: 'copy', from: path, path: placeIn(document, b, a) };
  if (kind < 19) return { op: 'test', path, value: copyJson(chosen.value) };
  return { op: b % 2 ? 'add' : 'replace', path: '', value: given };
}

function adding(document: Json, a: number, b: number, given: Json): Operation {
  return { op: 'add', path: placeIn(document, a, b), value: given };
}

/** A move's target is a place in the value without what is moved. */
function moving(document: Json, from: string, b: number): Operation {
  const path = placeIn(applyJsonPatch(document, [{ op: 'remove', path: from }]), b, b);
  return path.startsWith(`${from}/`) ? { op: 'remove', path: from } : { op: 'move', from, path };
}

/** Where a value may be added: a member or an index of some container, or the whole value where there is none. */
function placeIn(document: Json, which: number, where: number): string {
  const containers = locationsIn(document).filter(({ value: each }) => isContainer(each));
  if (containers.length === 0) return '';
  const { tokens, value: container } = containers[which % containers.length]!;
  if (!Array.isArray(container)) return formatPointer([...tokens, KEYS[where % KEYS.length]!]);
  const at = where % (container.length + 2);
  return formatPointer([...tokens, at > container.length ? '-' : at]);
}

/** Every location of a value, its root first. */
function locationsIn(document: Json, tokens: readonly (string | number)[] = []): Location[] {
  const own = { tokens, value: document };
  if (!isContainer(document)) return [own];
  const members = Array.isArray(document) ? [...document.entries()] : Object.entries(document);
  return [own, ...members.flatMap(([key, member]) => locationsIn(member, [...tokens, key]))];
}

function isContainer(document: Json): document is Json[] | { [key: string]: Json } {
  return typeof document === 'object' && document !== null;
}
