// A Yoga plugin: automatic persisted queries, as in Apollo's protocol. A client sends the SHA-256 hash of a document alone;
// if the server does not know it, the client sends it once more with the document.
//
// Documents are stored after they have been validated, so that no other text and nothing above the query limits is kept.
// The peers of Yoga's own plugin (@graphql-yoga/plugin-apq) exclude the packages that Yoga 5 installs, and it stores
// documents before they are validated.
import { createHash } from 'node:crypto';
import { GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { LruMap } from '../async/lru-map.ts';

/** `off`: a hash without its document is rejected. `automatic`: documents are stored when they are first sent. */
export type PersistedQueries = 'off' | 'automatic';

/** Documents kept, of all callers. Others are evicted, least recently used first, and must be sent again. */
export const MAX_DOCUMENTS = 1_000;
/** Characters of a stored document. With their number, this limits the memory. Longer ones are executed as usual. */
export const MAX_DOCUMENT_LENGTH = 10_000;

const HASH = /^[0-9a-f]{64}$/;

/** The statuses of Apollo Server, which clients are made for: an unknown hash is not an error of HTTP. */
const STATUS: Readonly<Record<string, number>> = {
  PERSISTED_QUERY_NOT_FOUND: 200,
  PERSISTED_QUERY_NOT_SUPPORTED: 200,
  PERSISTED_QUERY_MISMATCH: 400,
};

interface Document {
  readonly hash: string;
  readonly query: string;
}

/** @internal */
export function usePersistedQueries(mode: PersistedQueries): Plugin<{ request: Request }> {
  const stored = new LruMap<string, string>(MAX_DOCUMENTS);
  /** Documents with their checked hash that have not been validated yet. */
  const received = new WeakMap<Request, Document>();
  return {
    onParams: ({ request, params, setParams }) => {
      const { query } = params;
      const reference: unknown = params.extensions?.persistedQuery;
      if (reference === undefined || reference === null) return;
      // Rejected with the other parameters.
      if (query && typeof query !== 'string') return;
      if (mode === 'off') {
        // Apollo Client sends complete documents from then on.
        if (!query) throw failed('PersistedQueryNotSupported', 'PERSISTED_QUERY_NOT_SUPPORTED');
        return;
      }
      const hash = hashOf(reference);
      if (!query) {
        const known = stored.get(hash);
        if (known === undefined) throw failed('PersistedQueryNotFound', 'PERSISTED_QUERY_NOT_FOUND');
        setParams({ ...params, query: known });
      } else if (createHash('sha256').update(query).digest('hex') !== hash) {
        throw failed('PersistedQueryMismatch', 'PERSISTED_QUERY_MISMATCH');
      } else if (query.length <= MAX_DOCUMENT_LENGTH) {
        received.set(request, { hash, query });
      }
    },
    onValidate: ({ context: { request } }) => {
      const document = request && received.get(request);
      if (!document) return;
      return ({ valid }) => {
        if (valid) stored.set(document.hash, document.query);
      };
    },
  };
}

function hashOf(reference: unknown): string {
  const { version, sha256Hash: hash } = reference as { version?: unknown; sha256Hash?: unknown };
  if (version === 1 && typeof hash === 'string' && HASH.test(hash)) return hash;
  const message =
    'extensions.persistedQuery: expected version 1 and a SHA-256 hash in lower-case hexadecimal';
  throw new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT', http: { status: 400 } } });
}

function failed(message: string, code: string): GraphQLError {
  // A cache would return the error even after the document has been stored.
  const http = { status: STATUS[code] ?? 400, headers: { 'Cache-Control': 'no-store' } };
  return new GraphQLError(message, { extensions: { code, http } });
}
