// Reads token usage in the shapes in which SDKs and engines report it. Everything that takes usage (runs, HTTP
// publishing, rows, workflows) calls this module, so that one rule and one limit apply.
//
// Names are compared without case, `_` and `-`: `prompt_tokens`, `promptTokens` and `PromptTokens` are one name.
// Temporal's sandbox, which has no Buffer and no zod, shares this file.
import { type ExecstreamError, invalidInput } from './errors.ts';
import type { Usage } from './events.ts';

/** The largest count of tokens, and the largest duration in ms: the integers up to it are exact in JSON and JavaScript. */
export const MAX_COUNT = Number.MAX_SAFE_INTEGER;

/** Usage as the SDK of a model reports it, for example `{ prompt_tokens: 512, completion_tokens: 64 }`. */
export type ReportedUsage = object;

type Part = 'input' | 'output' | 'total';

/** The names of the counts. The first name that is present is used. */
const NAMES: { readonly [P in Part]: readonly string[] } = {
  // OpenAI Responses, Anthropic, AI SDK 5+; OpenAI Chat, AI SDK 4; Gemini; Ollama.
  input: ['inputtokens', 'prompttokens', 'prompttokencount', 'inputtokencount', 'promptevalcount'],
  output: ['outputtokens', 'completiontokens', 'candidatestokencount', 'outputtokencount', 'evalcount'],
  total: ['totaltokens', 'totaltokencount'],
};

/** Counts that the count of the part does not include: the cache of Anthropic and Bedrock, the thoughts of Gemini. */
const ADDED: { readonly [P in Part]: readonly string[] } = {
  input: ['cachecreationinputtokens', 'cachewriteinputtokens', 'cachereadinputtokens'],
  output: ['thoughtstokencount'],
  total: [],
};

const MODEL = ['model', 'modelid', 'modelname'];
const COST = ['costusd', 'totalcostusd', 'cost', 'totalcost'];

/**
 * Reads usage. A count that is absent, null or NaN is one that the SDK does not know. A total that is missing is the sum
 * of the others; another missing count is 0. Fields that are not part of `Usage` are left out.
 * @returns undefined if no count is known
 * @throws ExecstreamError `BAD_USER_INPUT` for a value without any known name, and for a count or a cost that is not a
 *   number in range
 */
export function parseUsage(reported: unknown): Usage | undefined {
  return isUnknown(reported) ? undefined : readUsage(reported, (parse) => parse());
}

/**
 * Reads usage that was stored by another writer, which nobody could correct any more.
 * @returns undefined for usage that cannot be read; a model or a cost that cannot be read is left out
 */
export function usageOf(stored: unknown): Usage | undefined {
  return attempt(() => (isUnknown(stored) ? undefined : readUsage(stored, attempt)));
}

/** @param optional reads a field that the usage can do without */
function readUsage(
  reported: unknown,
  optional: <T>(parse: () => T | undefined) => T | undefined,
): Usage | undefined {
  const fields = fieldsOf(reported);
  const counts = readCounts(fields);
  const costUsd = optional(() => parseCost(present(fields, COST)));
  if (!counts && costUsd === undefined) return undefined;
  const model = optional(() => parseModel(present(fields, MODEL)));
  return {
    ...(counts ?? { inputTokens: 0, outputTokens: 0, totalTokens: 0 }),
    ...(model !== undefined && { model }),
    ...(costUsd !== undefined && { costUsd }),
  };
}

type Fields = ReadonlyMap<string, unknown>;

/** The fields by their compared names. Cohere nests the counts in `tokens`. */
function fieldsOf(reported: unknown): Fields {
  if (typeof reported !== 'object' || reported === null || Array.isArray(reported))
    throw unreadable(reported);
  const fields = new Map(Object.entries(reported).map(([name, value]) => [compared(name), value]));
  if (isReported(fields)) return fields;
  const nested = fields.get('tokens');
  if (typeof nested === 'object' && nested !== null) return fieldsOf(nested);
  throw unreadable(reported);
}

function isReported(fields: Fields): boolean {
  return [...Object.values(NAMES).flat(), ...COST].some((name) => fields.has(name));
}

function compared(name: string): string {
  return name.toLowerCase().replace(/[_-]/g, '');
}

function readCounts(fields: Fields): Usage | undefined {
  const input = readPart(fields, 'input');
  const output = readPart(fields, 'output');
  const total = readPart(fields, 'total');
  if (input === undefined && output === undefined && total === undefined) return undefined;
  const inputTokens = input ?? Math.max(0, (total ?? 0) - (output ?? total ?? 0));
  const outputTokens = output ?? Math.max(0, (total ?? 0) - (input ?? total ?? 0));
  const totalTokens = total ?? checkCount('totalTokens', inputTokens + outputTokens);
  return { inputTokens, outputTokens, totalTokens };
}

function readPart(fields: Fields, part: Part): number | undefined {
  const count = parseCount(part, present(fields, NAMES[part]));
  const added = ADDED[part].map((name) => parseCount(part, fields.get(name)));
  if (count === undefined && added.every((each) => each === undefined)) return undefined;
  const sum = added.reduce<number>((all, each) => all + (each ?? 0), count ?? 0);
  return checkCount(`${part}Tokens`, sum);
}

/** The value of the first of these names that is known. */
function present(fields: Fields, names: readonly string[]): unknown {
  return names.map((name) => fields.get(name)).find((value) => !isUnknown(value));
}

function parseCount(part: Part, value: unknown): number | undefined {
  // AI SDK 7 reports `{ total, noCache, … }`.
  const reported = typeof value === 'object' && value !== null ? (value as { total?: unknown }).total : value;
  return isUnknown(reported) ? undefined : checkCount(`${part}Tokens`, reported);
}

function isUnknown(value: unknown): boolean {
  return value === undefined || value === null || Number.isNaN(value);
}

function checkCount(field: string, value: unknown): number {
  // A bigint of a database, as its driver returns it.
  const isInteger = typeof value === 'bigint' || (typeof value === 'string' && /^\d{1,16}$/.test(value));
  const count = isInteger ? Number(value) : value;
  // `+ 0` turns -0, which JSON does not have, into 0.
  if (Number.isSafeInteger(count) && (count as number) >= 0) return (count as number) + 0;
  throw invalidInput(`usage.${field}: expected an integer from 0 to ${MAX_COUNT}, got ${shown(value)}`);
}

function parseCost(value: unknown): number | undefined {
  if (isUnknown(value)) return undefined;
  const isDecimal = typeof value === 'string' && /^\d+(\.\d+)?$/.test(value);
  const cost = isDecimal ? Number(value) : value;
  if (typeof cost === 'number' && cost >= 0 && Number.isFinite(cost)) return cost + 0;
  throw invalidInput(`usage.costUsd: expected a number from 0, got ${shown(value)}`);
}

function parseModel(value: unknown): string | undefined {
  if (value === undefined || typeof value === 'string') return value;
  throw invalidInput(`usage.model: expected a string, got ${shown(value)}`);
}

function unreadable(reported: unknown): ExecstreamError {
  const expected = 'inputTokens, outputTokens and totalTokens, or the usage of a model SDK';
  return invalidInput(`usage: expected ${expected}, got ${shown(reported)}`);
}

/** A value in an error message. */
function shown(value: unknown): string {
  if (Array.isArray(value)) return 'an array';
  if (typeof value !== 'object' || value === null) return String(value).slice(0, 40);
  return `an object with ${Object.keys(value).slice(0, 8).join(', ').slice(0, 200) || 'no fields'}`;
}

function attempt<T>(read: () => T | undefined): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
