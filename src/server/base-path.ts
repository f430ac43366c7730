// The path below which an embedded server is served. Requests are routed by what follows it; links start with it.
import { invalid } from './config/env.ts';

export interface BasePath {
  /**
   * As in links: percent-encoded, without a trailing slash, empty for the root. It has no character that HTML, scripts in
   * single quotes or the attributes of a cookie would interpret.
   */
  readonly path: string;
  /**
   * Removes the base path from the target of a request.
   * @param target a path, perhaps with a query
   * @returns the rest, which starts with a slash; undefined if the target is outside
   */
  strip(target: string): string | undefined;
}

/**
 * Parses a base path such as `/streams` or `/a b/streams`, encoded or not. A trailing slash makes no difference.
 * @throws ExecstreamError `CONFIG`, naming `basePath`, if it is not a path, or has a segment that URL parsers resolve
 */
export function parseBasePath(text: string): BasePath {
  if (text === '' || text === '/') return { path: '', strip: (target) => target };
  const got = `got "${text.slice(0, 80)}"`;
  if (!text.startsWith('/')) throw invalid('basePath', `expected a path that starts with a slash, ${got}`);
  if (/[?#\\\p{Cc}\p{Cs}]/u.test(text)) {
    throw invalid('basePath', `expected a path without ?, #, \\ and control characters, ${got}`);
  }
  const segments = text.replace(/\/$/, '').slice(1).split('/').map(decoded);
  if (segments.some((segment) => segment === '' || /^\.{1,2}$/.test(segment))) {
    throw invalid('basePath', `expected a path without empty segments, . and .., ${got}`);
  }
  return {
    path: segments.map((segment) => `/${encoded(segment)}`).join(''),
    strip: (target) => strip(target, segments),
  };
}

/** Compares decoded segments, because a client may encode more characters than necessary. */
function strip(target: string, segments: readonly string[]): string | undefined {
  const [path = ''] = target.split(/[?#]/, 1);
  const sent = path.slice(1).split('/');
  if (!path.startsWith('/') || !segments.every((segment, i) => decoded(sent[i] ?? '') === segment)) {
    return undefined;
  }
  return `/${sent.slice(segments.length).join('/')}${target.slice(path.length)}`;
}

/** The text itself if it is not valid percent-encoding. */
function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** Characters that paths may contain, and that `encodeURIComponent` would encode. */
const KEPT = /%(?:24|2B|2C|3A|3D|40)/g;

function encoded(segment: string): string {
  return encodeURIComponent(segment)
    .replace(KEPT, (code) => decodeURIComponent(code))
    .replaceAll("'", '%27');
}
