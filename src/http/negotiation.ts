// Content negotiation by the `Accept` header (RFC 9110, 12.5.1): quality values, wildcards, order.
import Negotiator from 'negotiator';

/** Parameters that say how a type is encoded, not which type it is: no client means to reject another boundary. */
const ENCODING_PARAMETERS = /;\s*(?:charset|boundary)\s*=\s*(?:"[^"]*"|[^;,\s]*)/gi;

/** Whether a request prefers a page to data, as a browser does that opens a URL. */
export function prefersPage(request: Pick<Request, 'headers'>): boolean {
  return preferredType(request, ['application/json', 'text/html']) === 'text/html';
}

/**
 * The media type that a request prefers among those available; undefined if it accepts none of them. Types of equal
 * quality are preferred in the order in which the request lists them, and by a wildcard in the order of `available`.
 * @param available such as `application/json`; parameters must match those that the request names
 */
export function preferredType<T extends string>(
  { headers }: Pick<Request, 'headers'>,
  available: readonly T[],
): T | undefined {
  const accept = (headers.get('accept') || '*/*').replace(ENCODING_PARAMETERS, '');
  return new Negotiator({ headers: { accept } }).mediaType([...available]) as T | undefined;
}
