// Apollo Client with automatic persisted queries: it sends the hash of a document, and the document only once.
import type { ApolloLink } from '@apollo/client';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';

export async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

export function withPersistedQueries(httpLink: ApolloLink): ApolloLink {
  return new PersistedQueryLink({ sha256, useGETForHashedQueries: true }).concat(httpLink);
}
