// A minimal SSE server: node:http and ioredis; each message is encoded once for all of its viewers.
import { createServer } from 'node:http';
import { Redis } from 'ioredis';

const redis = new Redis(process.env.REDIS_URL);
/** Responses by channel. */
const viewers = new Map();

redis.on('message', (channel, payload) => {
  const { id } = JSON.parse(payload);
  const message = Buffer.from(`id: ${id}\nevent: next\ndata: ${payload}\n\n`);
  for (const response of viewers.get(channel) ?? []) response.write(message);
});

const server = createServer(async (request, response) => {
  const channel = request.url.slice('/stream/'.length);
  if (!viewers.has(channel)) viewers.set(channel, new Set());
  const others = viewers.get(channel);
  others.add(response);
  request.on('close', () => {
    others.delete(response);
    if (others.size > 0) return;
    viewers.delete(channel);
    redis.unsubscribe(channel);
  });
  await redis.subscribe(channel);
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' });
  response.flushHeaders();
});
server.listen(process.env.PORT, '127.0.0.1', () => console.log('listening'));
