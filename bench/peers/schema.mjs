// The schema of the GraphQL peers: the part of execstream's schema that the benchmark uses.
import { buildSchema } from 'graphql';
import { RedisPubSub } from 'graphql-redis-subscriptions';
import { Redis } from 'ioredis';

const pubsub = new RedisPubSub({
  publisher: new Redis(process.env.REDIS_URL),
  subscriber: new Redis(process.env.REDIS_URL),
});

export const typeDefs = /* GraphQL */ `
  type Query {
    hello: String
  }
  type Subscription {
    agentStream(id: ID!): ExecutionEvent!
  }
  enum EventType {
    AGENT_START
    LLM_CHUNK
    COMPLETE
  }
  interface ExecutionEvent {
    id: ID!
    seq: Int!
    type: EventType!
    attempt: Int!
  }
  type LlmChunkEvent implements ExecutionEvent {
    id: ID!
    seq: Int!
    type: EventType!
    attempt: Int!
    content: String!
  }
`;

export const resolvers = {
  ExecutionEvent: { __resolveType: () => 'LlmChunkEvent' },
  Subscription: {
    agentStream: {
      subscribe: (_, { id }) => pubsub.asyncIterableIterator(id),
      resolve: (payload) => payload,
    },
  },
};

/** The same schema as a graphql-js object. */
export function createSchema() {
  const schema = buildSchema(typeDefs);
  Object.assign(schema.getSubscriptionType().getFields().agentStream, resolvers.Subscription.agentStream);
  schema.getType('ExecutionEvent').resolveType = resolvers.ExecutionEvent.__resolveType;
  return schema;
}
