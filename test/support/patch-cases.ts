// Random valid JSON Patches whose operations build on each other, within one patch, across the events of one batch,
// and across batches. Later operations may add to, move, copy and remove every container that was added.
import fc from 'fast-check';
import { applyJsonPatch, copyJson, formatPointer, type Json, type Operation } from './rfc6902.ts';

export interface PatchCase {
  /** The patches of each event, by batch. */
  readonly batches: readonly (readonly (readonly Operation[])[])[];
  /** The value after each event, by the reference implementation; it starts as `null`. */
  readonly states: readonly Json[];
}

/** The value after the last event. */
export function finalState({ states }: PatchCase): Json {
  return states.at(-1)!;
}

/** Far below every limit of the server, because the cases test correctness. */
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

/** Copied, so that no two operations share an object. */
const value = anyValue.map(copyJson);

/** Numbers that select an operation for any current value. */
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

function operationOf(document: Json, { kind, a, b, value: newValue }: Step): Operation {
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
  if (document === null || inner === undefined) return adding(document, a, b, newValue);
  if (kind < 9) return adding(document, a, b, newValue);
  if (kind < 11) return { op: 'replace', path, value: newValue };
  if (kind < 13) return { op: 'remove', path: formatPointer(inner.tokens) };
  if (kind < 15) return moving(document, formatPointer(inner.tokens), b);
  if (kind < 17) return { op: 'copy', from: path, path: placeIn(document, b, a) };
  if (kind < 19) return { op: 'test', path, value: copyJson(chosen.value) };
  return { op: b % 2 ? 'add' : 'replace', path: '', value: newValue };
}

function adding(document: Json, a: number, b: number, newValue: Json): Operation {
  return { op: 'add', path: placeIn(document, a, b), value: newValue };
}

/** The target of a move is a location in the value without the moved part. */
function moving(document: Json, from: string, b: number): Operation {
  const path = placeIn(applyJsonPatch(document, [{ op: 'remove', path: from }]), b, b);
  return path.startsWith(`${from}/`) ? { op: 'remove', path: from } : { op: 'move', from, path };
}

/**
 * A location where a value may be added: a member or an index of a container, or the root if there is no container.
 */
function placeIn(document: Json, containerIndex: number, position: number): string {
  const containers = locationsIn(document).filter(({ value: each }) => isContainer(each));
  if (containers.length === 0) return '';
  const { tokens, value: container } = containers[containerIndex % containers.length]!;
  if (!Array.isArray(container)) return formatPointer([...tokens, KEYS[position % KEYS.length]!]);
  const at = position % (container.length + 2);
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
