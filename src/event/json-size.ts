// The size of JSON values, and the limits of structured values and of the work that patches cause.
import { ExecstreamError } from './errors.ts';
import type { JsonValue } from './events.ts';
import { MAX_JSON_DEPTH } from './json-depth.ts';
import { defineMember, type JsonObject } from './json-patch.ts';

export interface JsonSize {
  /** UTF-16 code units of the value's JSON, without escapes. */
  readonly units: number;
  /** The value itself and all values within it. */
  readonly nodes: number;
  /** Levels of arrays and objects; 0 for a scalar. */
  readonly depth: number;
}

export interface ValueLimits {
  /** Code units of a structured value's JSON. */
  readonly units: number;
  /** Values within a structured value. */
  readonly nodes: number;
  /** Levels of arrays and objects. */
  readonly depth: number;
  /** Values and keys that all patches of one batch may visit, copy or compare. */
  readonly work: number;
}

export const VALUE_LIMITS: ValueLimits = {
  units: 4 * 1024 * 1024,
  nodes: 100_000,
  depth: MAX_JSON_DEPTH,
  work: 200_000,
};

/** Shifting this many array elements costs as much as visiting one value. */
const MOVED_PER_VISIT = 64;

/** The remaining work that one batch may cause, and the limits of the value that it changes. */
export class PatchWork {
  readonly limits: ValueLimits;
  #left: number;

  constructor(limits: ValueLimits = VALUE_LIMITS) {
    this.limits = limits;
    this.#left = limits.work;
  }

  /** Values visited so far. */
  get spent(): number {
    return this.limits.work - this.#left;
  }

  /** @throws ExecstreamError `EVENT_TOO_LARGE` */
  spend(visits: number): void {
    this.#left -= visits;
    if (this.#left < 0) {
      throw tooLarge(`the patches of one batch may visit ${this.limits.work} values; send smaller batches`);
    }
  }

  spendMove(elements: number): void {
    this.spend(Math.floor(elements / MOVED_PER_VISIT));
  }

  /** @throws ExecstreamError `EVENT_TOO_LARGE` */
  checkDepth(depth: number): void {
    const { depth: limit } = this.limits;
    if (depth > limit) throw tooLarge(`the value would be nested deeper than ${limit} levels`);
  }

  /**
   * Checks the size that a value would grow to.
   * @throws ExecstreamError `EVENT_TOO_LARGE`
   */
  checkSize(size: JsonSize, moreUnits: number, moreNodes: number): void {
    const { units, nodes } = this.limits;
    if (size.units + moreUnits > units) throw tooLarge(`the value would exceed ${units} characters of JSON`);
    if (size.nodes + moreNodes > nodes) throw tooLarge(`the value would hold more than ${nodes} values`);
  }
}

/** For values that are known to be within the limits. */
export function unlimitedWork(): PatchWork {
  const none = Number.POSITIVE_INFINITY;
  return new PatchWork({ units: none, nodes: none, depth: none, work: none });
}

export interface CopyOptions {
  readonly work: PatchWork;
  /**
   * Containers around the copy.
   * @default 0
   */
  readonly depth?: number;
  /**
   * The size that counts towards the same limits.
   * @default empty
   */
  readonly beside?: JsonSize;
}

/**
 * Copies a value, and stops as soon as the copy would exceed a limit.
 * @throws ExecstreamError `EVENT_TOO_LARGE`
 */
export function copyWithin(
  value: JsonValue,
  { work, depth = 0, beside = { units: 0, nodes: 0, depth: 0 } }: CopyOptions,
): { value: JsonValue; size: JsonSize } {
  const tally = new Tally(work, beside);
  const copy = tally.copy(value, depth);
  const { units, nodes, deepest } = tally;
  return { value: copy, size: { units, nodes, depth: Math.max(0, deepest - depth) } };
}

/**
 * The size of a value.
 * @throws ExecstreamError `EVENT_TOO_LARGE` if the work is spent
 */
export function sizeOf(value: JsonValue, work: PatchWork): JsonSize {
  const tally = new Tally(work, { units: 0, nodes: 0, depth: 0 });
  tally.visit(value, 0);
  return { units: tally.units, nodes: tally.nodes, depth: tally.deepest };
}

/**
 * Checks a complete value against the limits of structured values.
 * @throws ExecstreamError `EVENT_TOO_LARGE`
 */
export function checkValueSize(value: JsonValue): void {
  const { units, nodes, depth } = sizeOf(value, unlimitedWork());
  const work = new PatchWork();
  work.checkDepth(depth);
  work.checkSize({ units, nodes, depth }, 0, 0);
}

class Tally {
  units = 0;
  nodes = 0;
  deepest = 0;
  readonly #work: PatchWork;
  readonly #beside: JsonSize;

  constructor(work: PatchWork, beside: JsonSize) {
    this.#work = work;
    this.#beside = beside;
  }

  copy(value: JsonValue, depth: number): JsonValue {
    this.#count(value, depth);
    this.#work.checkSize(this.#beside, this.units, this.nodes);
    if (typeof value !== 'object' || value === null) return value;
    this.#work.checkDepth(depth + 1);
    if (Array.isArray(value)) return value.map((inner) => this.copy(inner, depth + 1));
    const copy: JsonObject = {};
    for (const key of Object.keys(value)) {
      this.#countKey(key);
      defineMember(copy, key, this.copy(value[key]!, depth + 1));
    }
    return copy;
  }

  visit(value: JsonValue, depth: number): void {
    this.#count(value, depth);
    if (typeof value !== 'object' || value === null) return;
    if (Array.isArray(value)) {
      for (const inner of value) this.visit(inner, depth + 1);
      return;
    }
    for (const key of Object.keys(value)) {
      this.#countKey(key);
      this.visit(value[key]!, depth + 1);
    }
  }

  #count(value: JsonValue, depth: number): void {
    this.#work.spend(1);
    this.nodes += 1;
    this.units += ownUnits(value);
    if (typeof value === 'object' && value !== null && depth >= this.deepest) this.deepest = depth + 1;
  }

  /** A key costs as much work as a value. */
  #countKey(key: string): void {
    this.#work.spend(1);
    this.units += key.length + 4;
  }
}

/** Code units of a value's JSON, without keys and nested values. */
function ownUnits(value: JsonValue): number {
  if (typeof value === 'string') return value.length + 2;
  if (typeof value !== 'object' || value === null) return String(value).length;
  return Array.isArray(value) ? 2 + value.length : 2;
}

function tooLarge(message: string): ExecstreamError {
  return new ExecstreamError('EVENT_TOO_LARGE', message);
}
