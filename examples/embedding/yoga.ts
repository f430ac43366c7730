// An existing GraphQL server (Yoga and Pothos) that gets the subscriptions of execstream: resumed by `Last-Event-ID` or
// `after`, executed once for all viewers, and sent with heartbeats.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import SchemaBuilder from '@pothos/core';
import { createYoga } from 'graphql-yoga';
import { addExecstreamTypes, type Execstream, useExecstream } from '../../src/index.ts';

interface Context {
  readonly request: Request;
  readonly user: string | null;
}

/** The schema of the application, with its own scalar and subscription. */
function createSchema() {
  const builder = new SchemaBuilder<{
    Context: Context;
    Scalars: { DateTime: { Input: Date; Output: Date } };
  }>({});
  builder.scalarType('DateTime', { serialize: (at) => at.toISOString() });
  builder.queryType({
    fields: (t) => ({
      me: t.string({ nullable: true, resolve: (_, __, { user }) => user }),
      now: t.field({ type: 'DateTime', resolve: () => new Date() }),
    }),
  });
  builder.subscriptionType({
    fields: (t) => ({
      countdown: t.int({
        args: { from: t.arg.int({ required: true }) },
        async *subscribe(_, { from }) {
          for (let n = from; n > 0; n -= 1) yield n;
        },
        resolve: (n: number) => n,
      }),
    }),
  });
  // Its names would collide with `DateTime` above without the prefix.
  addExecstreamTypes(builder, { prefix: 'Execstream' });
  return builder.toSchema();
}

/** Starts the server; port 0 selects a free one. */
export async function start(execstream: Execstream, port = 0) {
  const yoga = createYoga<object, { user: string | null }>({
    schema: createSchema(),
    context: ({ request }) => ({ user: request.headers.get('x-user') }),
    plugins: [
      useExecstream<Context>(execstream, {
        prefix: 'Execstream',
        caller: ({ user }) => (user === null ? undefined : { id: user }),
      }),
    ],
  });
  const server = createServer(yoga).listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`,
    async close() {
      await execstream.close();
      server.closeAllConnections();
      server.close();
    },
  };
}
