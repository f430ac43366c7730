// Takes `access_token` out of a request's URL before anything else sees it, so that nothing can log it.
import type { IncomingMessage } from 'node:http';

const NAME = 'access_token';

/** Removes the parameter, all of its occurrences, and answers the first; the rest of the URL stays as it was sent. */
export function takeAccessToken(request: Pick<IncomingMessage, 'url'>): string | undefined {
  const url = request.url ?? '';
  const question = url.indexOf('?');
  if (question < 0) return undefined;
  const parts = url.slice(question + 1).split('&');
  const taken = parts.filter(isAccessToken);
  if (taken.length === 0) return undefined;
  const kept = parts.filter((part) => !isAccessToken(part)).join('&');
  request.url = url.slice(0, question) + (kept && `?${kept}`);
  return paramsOf(taken[0]!).get(NAME) || undefined;
}

/** Whichever way its name is percent-encoded. */
function isAccessToken(part: string): boolean {
  return paramsOf(part).has(NAME);
}

/** A part of a query that begins with a question mark is a parameter of such a name, and not the query. */
function paramsOf(part: string): URLSearchParams {
  return new URLSearchParams(`&${part}`);
}
