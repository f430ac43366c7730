// A TCP proxy between viewers and servers: spreads connections over the servers that accept them, and cuts, delays
// and stalls connections on demand.

import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Random } from '../random.ts';

export interface Balancer {
  readonly url: string;
  /** Connections that are open now. */
  readonly size: number;
  /** Resets this share of the connections. Returns how many. */
  cut(part: number): number;
  /** Delays all further data from servers by `ms`; 0 ends the delay. */
  delay(ms: number): void;
  /** Stops the data of this share of the connections for `ms`. Returns how many. */
  stall(part: number, ms: number): number;
  close(): Promise<void>;
}

interface Pipe {
  readonly client: Socket;
  readonly server: Socket;
  stalledUntil: number;
}

/** @param backends the ports of the servers, running or not. */
export async function startBalancer(backends: readonly number[], random: Random): Promise<Balancer> {
  const pipes = new Set<Pipe>();
  let delayMs = 0;
  let turn = 0;

  const listener: Server = createServer((client) => {
    client.on('error', () => {});
    client.setNoDelay(true);
    turn += 1;
    reach(turn, 0, client);
  });

  /** Tries one server after the other, starting with the one whose turn it is. */
  function reach(from: number, tries: number, client: Socket): void {
    if (client.destroyed) return;
    if (tries >= backends.length) return void client.destroy();
    const server = connect(backends[(from + tries) % backends.length]!, '127.0.0.1');
    let isConnected = false;
    server.setNoDelay(true);
    server.once('connect', () => {
      isConnected = true;
      join(client, server);
    });
    server.on('error', () => {
      if (!isConnected) reach(from, tries + 1, client);
    });
  }

  function join(client: Socket, server: Socket): void {
    const pipe: Pipe = { client, server, stalledUntil: 0 };
    pipes.add(pipe);
    client.pipe(server, { end: false });
    client.once('end', () => server.end());
    server.on('data', (chunk: Buffer) => pass(pipe, chunk));
    // After the data that are still delayed.
    server.once('end', () => setTimeout(() => client.end(), delayMs));
    client.on('drain', () => server.resume());
    const leave = (): void => {
      pipes.delete(pipe);
      client.destroy();
      server.destroy();
    };
    client.once('close', leave);
    server.once('close', () => setTimeout(leave, delayMs + 50));
  }

  /** Keeps the order: a chunk waits at least as long as the one before it. */
  function pass(pipe: Pipe, chunk: Buffer): void {
    const waitMs = Math.max(delayMs, pipe.stalledUntil - Date.now());
    if (waitMs <= 0) {
      write(pipe, chunk);
      return;
    }
    pipe.server.pause();
    setTimeout(() => {
      write(pipe, chunk);
      if (!pipe.client.writableNeedDrain) pipe.server.resume();
    }, waitMs);
  }

  function write({ client, server }: Pipe, chunk: Buffer): void {
    if (!client.destroyed && !client.write(chunk)) server.pause();
  }

  function some(part: number): Pipe[] {
    return [...pipes].filter(() => random.chance(part));
  }

  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(listener.address() as AddressInfo).port}`,
    get size() {
      return pipes.size;
    },
    cut(part) {
      const chosen = some(part);
      for (const { client, server } of chosen) {
        client.resetAndDestroy();
        server.resetAndDestroy();
      }
      return chosen.length;
    },
    delay(ms) {
      delayMs = ms;
    },
    stall(part, ms) {
      const chosen = some(part);
      for (const pipe of chosen) pipe.stalledUntil = Date.now() + ms;
      return chosen.length;
    },
    close: () =>
      new Promise((resolve) => {
        listener.close(() => resolve());
        for (const { client, server } of pipes) {
          client.destroy();
          server.destroy();
        }
      }),
  };
}
