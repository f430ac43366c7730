// Stock graphql-yoga with graphql-redis-subscriptions, as both document it.
import { createServer } from 'node:http';
import { createSchema, createYoga } from 'graphql-yoga';
import { resolvers, typeDefs } from '../schema.mjs';

const yoga = createYoga({ schema: createSchema({ typeDefs, resolvers }), logging: 'error' });
const server = createServer(yoga);
server.listen(process.env.PORT, '127.0.0.1', () => console.log('listening'));
