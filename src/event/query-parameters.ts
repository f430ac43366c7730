// Query parameters that may be repeated. A client library may repeat one by mistake, and a proxy may append its own:
// using the first value and ignoring the others would give a result that nobody requested.
import { ExecstreamError } from './errors.ts';

/**
 * The value of a parameter that has one value; undefined if it is absent or empty.
 * @throws ExecstreamError `BAD_USER_INPUT`, naming the parameter, if it is repeated with another value.
 */
export function singleValue(query: URLSearchParams, name: string): string | undefined {
  const values = new Set(query.getAll(name).filter((value) => value !== ''));
  if (values.size > 1) throw repeatedParameter(name, values.size);
  return [...values][0];
}

/** The values of a list, whose values are separated by commas or sent in repeated parameters; blanks are skipped. */
export function listValues(query: URLSearchParams, name: string): string[] {
  const items = query.getAll(name).flatMap((list) => list.split(','));
  return items.flatMap((item) => item.trim() || []);
}

/** The error for a parameter that is repeated with different values. The values are left out: one may be a token. */
export function repeatedParameter(name: string, count: number): ExecstreamError {
  return new ExecstreamError('BAD_USER_INPUT', `${name}: expected one value, got ${count}`);
}
