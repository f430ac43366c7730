// graphql-sse on Node's http with graphql-redis-subscriptions, in distinct connections mode.
import { createServer } from 'node:http';
import { createHandler } from 'graphql-sse/lib/use/http';
import { createSchema } from '../schema.mjs';

const handler = createHandler({ schema: createSchema() });
const server = createServer(handler);
server.listen(process.env.PORT, '127.0.0.1', () => console.log('listening'));
