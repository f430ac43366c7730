// tRPC subscriptions over SSE on its standalone server: an event emitter fed by Redis, and `tracked` events.
import { EventEmitter, on } from 'node:events';
import { initTRPC, tracked } from '@trpc/server';
import { createHTTPServer } from '@trpc/server/adapters/standalone';
import { Redis } from 'ioredis';

const redis = new Redis(process.env.REDIS_URL);
const events = new EventEmitter();
events.setMaxListeners(0);
redis.on('message', (channel, payload) => events.emit(channel, JSON.parse(payload)));

const t = initTRPC.create();
const appRouter = t.router({
  stream: t.procedure
    .input(({ id }) => ({ id: String(id) }))
    .subscription(async function* ({ input, signal }) {
      const iterable = on(events, input.id, { signal });
      await redis.subscribe(input.id);
      try {
        for await (const [event] of iterable) yield tracked(event.id, event);
      } finally {
        if (events.listenerCount(input.id) === 0) redis.unsubscribe(input.id);
      }
    }),
});

const server = createHTTPServer({ router: appRouter, basePath: '/trpc/' });
server.listen(process.env.PORT, '127.0.0.1', () => console.log('listening'));
