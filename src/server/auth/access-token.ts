// Removes `access_token` from a request's URL before anything else reads it, so that nothing can log it.

const NAME = 'access_token';

/** Removes all occurrences of the parameter and returns their different values. The rest of the URL does not change. */
export function takeAccessTokens(request: { url?: string | undefined }): readonly string[] {
  const url = request.url ?? '';
  const queryAt = url.indexOf('?');
  if (queryAt < 0) return [];
  const parts = url.slice(queryAt + 1).split('&');
  const tokens = parts.filter(isAccessToken);
  if (tokens.length === 0) return [];
  const others = parts.filter((part) => !isAccessToken(part)).join('&');
  request.url = url.slice(0, queryAt) + (others && `?${others}`);
  return [...new Set(tokens.flatMap((token) => paramsOf(token).get(NAME) || []))];
}

/** However its name is percent-encoded. */
function isAccessToken(part: string): boolean {
  return paramsOf(part).has(NAME);
}

/** The `&` keeps a leading question mark, which is part of the parameter's name here. */
function paramsOf(part: string): URLSearchParams {
  return new URLSearchParams(`&${part}`);
}
