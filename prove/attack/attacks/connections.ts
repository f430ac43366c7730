// Item 10: raw sockets that send many requests without waiting for a response.
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Arms, Attack } from '../attack.ts';

const SOCKETS = 40;
/** Streams of others, such as the victim's. */
const OTHER_STREAMS = 5;

function open(url: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1' });
    socket.once('connect', () => resolve(socket)).once('error', reject);
  });
}

function requestText(arms: Arms, path: string, accept: string): string {
  const auth = `Authorization: Bearer ${arms.attacker.jwt}`;
  return `GET ${path} HTTP/1.1\r\nHost: localhost\r\nAccept: ${accept}\r\n${auth}\r\n\r\n`;
}

/** Counts the statuses of the responses that come. */
function countAnswers(arms: Arms, socket: Socket): void {
  let rest = '';
  socket.on('data', (chunk: Buffer) => {
    const text = rest + chunk.toString('latin1');
    for (const [, status] of text.matchAll(/HTTP\/1\.1 (\d{3}) /g)) arms.count(status!);
    rest = text.slice(-12).replace(/HTTP\/1\.1 \d{3} /g, '');
  });
  socket.on('error', () => {});
  socket.once('close', () => arms.count('closed'));
}

const STREAM = '/api/v0/executions/agents/piped/stream';
const beginPiped: Pick<Attack, 'prepare'> = {
  async prepare(arms) {
    await arms.begin('piped', { mode: 'TEXT' });
  },
};

/** Sends 200 requests for a stream on one connection, and closes it after a moment. */
async function pipeStreams(arms: Arms, openMs: number): Promise<void> {
  const socket = await open(arms.url);
  countAnswers(arms, socket);
  socket.write(requestText(arms, STREAM, 'text/event-stream').repeat(200));
  await sleep(openMs);
  socket.destroy();
}

/** What a closed connection leaves is gone within moments. */
async function leftOver(arms: Arms): Promise<readonly string[]> {
  await sleep(2_000);
  // The attacker's own connections are closed: another caller asks.
  const observer = arms.caller({ sub: 'observer', scope: 'read' });
  const { text } = await observer.call('/metrics');
  const left = Number(/^execstream_streams (\d+)/m.exec(text)?.[1] ?? Number.NaN);
  return left <= OTHER_STREAMS ? [] : [`${left} streams outlived their connections by 2 s`];
}

export const CONNECTIONS: readonly Attack[] = [
  {
    id: '10a',
    title: '200 pipelined streams on each of 40 connections, then the connections are closed',
    ...beginPiped,
    run: (arms) => arms.lanes(SOCKETS, () => pipeStreams(arms, 500)),
    check: leftOver,
  },
  {
    id: '10c',
    title: '200 pipelined streams on one connection a second, then the connection is closed',
    ...beginPiped,
    run: (arms) => arms.lanes(1, () => pipeStreams(arms, 1_000)),
    check: leftOver,
  },
  {
    id: '10b',
    title: '2,000 pipelined requests a connection, whose responses nobody reads',
    async prepare(arms) {
      await arms.begin('piped', { mode: 'TEXT', input: { text: 'x'.repeat(100_000) } });
    },
    run: async (arms) => {
      const request = requestText(arms, '/api/v0/executions/agents/piped', 'application/json');
      const burst = request.repeat(2_000);
      const sockets: Socket[] = [];
      await arms.lanes(8, async () => {
        const socket = await open(arms.url);
        sockets.push(socket);
        socket.on('error', () => {}).once('close', () => arms.count('closed'));
        socket.pause();
        socket.write(burst);
        arms.count('sent 2,000');
        await sleep(2_000);
      });
      for (const socket of sockets) socket.destroy();
    },
  },
];
