// Short hashes of events, texts and values, which publishers and viewers compute independently.
import { createHash } from 'node:crypto';

/** A hash of JSON that does not depend on the order of keys. */
export function digest(value: unknown): string {
  return createHash('md5').update(canonical(value)).digest('base64url').slice(0, 12);
}

/** A hash of an event: its type and its data. */
export function eventDigest(type: string, data: unknown): string {
  return digest([type, data]);
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null';
  const entries = Object.entries(value).filter(([, each]) => each !== undefined);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, each]) => `${JSON.stringify(key)}:${canonical(each)}`).join(',')}}`;
}
