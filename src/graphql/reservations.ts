// A Yoga plugin: single connection mode of GraphQL over SSE, each reservation bound to the caller that made it.
//
// A reservation's token begins with a keyed hash of its caller, so that nobody else can use it, and nothing need be
// kept to tell. Tokens that were not made here are unknown.
import { createHmac, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';
import { useGraphQLSSE } from '@graphql-yoga/plugin-graphql-sse';
import type { GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { Caller } from '../execution/permission.ts';
import { isInternal, maskError, withoutHttp, withProtocolCode } from './errors.ts';

/** graphql-sse's own words for them (PROTOCOL.md, "Single connection mode"). */
const HEADER = 'x-graphql-event-stream-token';
const PARAMETER = 'token';

export function useReservations(): Plugin<object, { caller: Caller }> {
  const secret = randomBytes(32);
  const callers = new WeakMap<Request, Caller>();
  const ownerOf = ({ id, tenant }: Caller) =>
    createHmac('sha256', secret)
      .update(JSON.stringify([id, tenant]))
      .digest('base64url');

  const sse = useGraphQLSSE({
    authenticate: ({ raw, headers, url }) => {
      const owner = ownerOf(callers.get(raw)!);
      const token = headers.get(HEADER) ?? new URL(url, 'http://localhost').searchParams.get(PARAMETER);
      if (!token) return `${owner}.${randomUUID()}`;
      if (isSame(token.split('.')[0]!, owner)) return token;
      return [null, { status: 404, statusText: 'Not Found' }];
    },
  });
  return {
    onPluginInit: ({ addPlugin }) => {
      addPlugin({
        onRequest: ({ request, serverContext }) => {
          callers.set(request, (serverContext as unknown as { caller: Caller }).caller);
        },
      });
      addPlugin(guarded(sse as Plugin));
    },
  };
}

/** The plugin parses unguarded: what it throws would be answered with a stack. */
function guarded(plugin: Plugin): Plugin {
  return {
    ...plugin,
    onRequest: async (payload) => {
      try {
        await plugin.onRequest?.(payload);
      } catch (error) {
        const errors = [withoutHttp(withProtocolCode(maskError(error) as GraphQLError))];
        payload.endResponse(Response.json({ errors }, { status: isInternal(error) ? 500 : 400 }));
      }
    },
  };
}

function isSame(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}
