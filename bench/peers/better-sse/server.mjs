// better-sse: one session per viewer, one channel of the library per Redis channel.
import { createServer } from 'node:http';
import { createChannel, createSession } from 'better-sse';
import { Redis } from 'ioredis';

const redis = new Redis(process.env.REDIS_URL);
const channels = new Map();

redis.on('message', (name, payload) => {
  const event = JSON.parse(payload);
  channels.get(name)?.broadcast(event, 'next', { eventId: event.id });
});

function channelOf(name) {
  if (!channels.has(name)) {
    const channel = createChannel();
    channel.on('session-disconnected', () => {
      if (channel.sessionCount > 0) return;
      channels.delete(name);
      redis.unsubscribe(name);
    });
    channels.set(name, channel);
  }
  return channels.get(name);
}

const server = createServer(async (request, response) => {
  const name = request.url.slice('/stream/'.length);
  const channel = channelOf(name);
  await redis.subscribe(name);
  channel.register(await createSession(request, response));
});
server.listen(process.env.PORT, '127.0.0.1', () => console.log('listening'));
