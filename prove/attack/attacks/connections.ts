// Group 10: raw sockets that send many requests without waiting for a response.
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Attack, AttackContext } from '../attack.ts';

const SOCKETS = 40;
/** Streams of other callers, such as the victim's. */
const OTHER_STREAMS = 5;

function open(url: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1' });
    socket.once('connect', () => resolve(socket)).once('error', reject);
  });
}

function requestText(context: AttackContext, path: string, accept: string): string {
  const auth = `Authorization: Bearer ${context.attacker.jwt}`;
  return `GET ${path} HTTP/1.1\r\nHost: localhost\r\nAccept: ${accept}\r\n${auth}\r\n\r\n`;
}

/** Counts the statuses of the responses. */
function countResponses(context: AttackContext, socket: Socket): void {
  let rest = '';
  socket.on('data', (chunk: Buffer) => {
    const text = rest + chunk.toString('latin1');
    for (const [, status] of text.matchAll(/HTTP\/1\.1 (\d{3}) /g)) context.count(status!);
    rest = text.slice(-12).replace(/HTTP\/1\.1 \d{3} /g, '');
  });
  socket.on('error', () => {});
  socket.once('close', () => context.count('closed'));
}

const STREAM = '/api/v0/executions/agents/piped/stream';
const beginPiped: Pick<Attack, 'prepare'> = {
  async prepare(context) {
    await context.begin('piped', { mode: 'TEXT' });
  },
};

/** Sends 200 requests for a stream on one connection, and closes it after `openMs`. */
async function pipeStreams(context: AttackContext, openMs: number): Promise<void> {
  const socket = await open(context.url);
  countResponses(context, socket);
  socket.write(requestText(context, STREAM, 'text/event-stream').repeat(200));
  await sleep(openMs);
  socket.destroy();
}

/** A closed connection's streams must be gone soon after. */
async function findRemainingStreams(context: AttackContext): Promise<readonly string[]> {
  await sleep(2_000);
  // The attacker's own connections are closed: another caller makes the request.
  const observer = context.caller({ sub: 'observer', scope: 'read' });
  const { text } = await observer.call('/metrics');
  const remaining = Number(/^execstream_streams (\d+)/m.exec(text)?.[1] ?? Number.NaN);
  return remaining <= OTHER_STREAMS ? [] : [`${remaining} streams outlived their connections by 2 s`];
}

export const CONNECTIONS: readonly Attack[] = [
  {
    id: '10a',
    title: '200 pipelined streams on each of 40 connections, then the connections are closed',
    ...beginPiped,
    run: (context) => context.lanes(SOCKETS, () => pipeStreams(context, 500)),
    check: findRemainingStreams,
  },
  {
    id: '10c',
    title: '200 pipelined streams on one connection per second, then the connection is closed',
    ...beginPiped,
    run: (context) => context.lanes(1, () => pipeStreams(context, 1_000)),
    check: findRemainingStreams,
  },
  {
    id: '10b',
    title: '2,000 pipelined requests per connection, with the responses unread',
    async prepare(context) {
      await context.begin('piped', { mode: 'TEXT', input: { text: 'x'.repeat(100_000) } });
    },
    run: async (context) => {
      const request = requestText(context, '/api/v0/executions/agents/piped', 'application/json');
      const burst = request.repeat(2_000);
      const sockets: Socket[] = [];
      await context.lanes(8, async () => {
        const socket = await open(context.url);
        sockets.push(socket);
        socket.on('error', () => {}).once('close', () => context.count('closed'));
        socket.pause();
        socket.write(burst);
        context.count('sent 2,000');
        await sleep(2_000);
      });
      for (const socket of sockets) socket.destroy();
    },
  },
];
