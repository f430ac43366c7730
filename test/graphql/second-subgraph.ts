// A subgraph of another team: it has other types named `Error`, `Usage` and `PageInfo`, lists orders that refer to
// executions, and adds fields to `Execution`.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createSchema, createYoga } from 'graphql-yoga';

const DIRECTIVES = `
  extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key", "@shareable"])
`;

const TYPES = `
  type Query {
    orders(first: Int): OrderConnection!
    billed(ids: [ID!]!): [Execution]!
  }
  type OrderConnection { nodes: [Order!]! pageInfo: PageInfo! errors: [Error!]! }
  type Order { number: Int! execution: Execution }
  type Execution @key(fields: "id") { id: ID! price: Float! billedUsage: Usage! }
  type Usage { seats: Int! }
  type Error { reason: String! }
  type PageInfo @shareable {
    hasNextPage: Boolean!
    hasPreviousPage: Boolean!
    startCursor: String
    endCursor: String
  }
`;

export const SECOND_SDL = DIRECTIVES + TYPES;

const MACHINERY = `
  directive @key(fields: String!) on OBJECT
  directive @shareable on OBJECT
  scalar _Any
  union _Entity = Execution
  type _Service { sdl: String! }
  extend type Query { _service: _Service! _entities(representations: [_Any!]!): [_Entity]! }
`;

/** @param ids the executions to which its orders refer */
export async function startSecondSubgraph(ids: readonly string[]) {
  const yoga = createYoga({
    logging: false,
    schema: createSchema({
      typeDefs: TYPES + MACHINERY,
      resolvers: {
        Query: {
          orders: (_, { first }: { first?: number }) => ({
            nodes: ids.slice(0, first).map((id, number) => ({ number, execution: { id } })),
            pageInfo: { hasNextPage: first !== undefined, hasPreviousPage: false },
            errors: [{ reason: 'none' }],
          }),
          billed: (_, args: { ids: string[] }) => args.ids.map((id) => ({ id })),
          _service: () => ({ sdl: SECOND_SDL }),
          _entities: (_, { representations }: { representations: { id: string }[] }) => representations,
        },
        Execution: { price: ({ id }: { id: string }) => id.length / 4, billedUsage: () => ({ seats: 3 }) },
        _Entity: { __resolveType: () => 'Execution' },
      },
    }),
  });
  const server = createServer(yoga);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
