// A server that speaks Redis' protocol and replies as a test wants: also too late, twice, or not at all.
//
//   await using redis = await startFakeRedis(([name]) => (name === 'GET' ? error('MOVED 1 :7001') : OK));
import { createServer, type Server, type Socket } from 'node:net';

export interface FakeRedis extends AsyncDisposable {
  readonly port: number;
  /** Every command received, in order. */
  readonly commands: readonly string[][];
}

/** @param reply returns the bytes to send, or undefined for no reply; commands and errors as RESP (`OK`, `error`) */
export async function startFakeRedis(
  reply: (command: readonly string[]) => string | undefined,
): Promise<FakeRedis> {
  const commands: string[][] = [];
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    let received = '';
    socket.on('data', (chunk) => {
      received += chunk;
      for (;;) {
        const parsed = parseCommand(received);
        if (!parsed) return;
        received = received.slice(parsed.length);
        commands.push(parsed.command);
        const bytes = reply([parsed.command[0]!.toUpperCase(), ...parsed.command.slice(1)]);
        if (bytes !== undefined) socket.write(bytes);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as { port: number }).port,
    commands,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export const OK = '+OK\r\n';

export function error(message: string): string {
  return `-${message}\r\n`;
}

/** CLUSTER SLOTS where one node of this host has all slots. */
export function allSlots(port: number): string {
  return `*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n$9\r\n127.0.0.1\r\n:${port}\r\n`;
}

/** The first complete command of what was received: an array of bulk strings, in ASCII. */
function parseCommand(text: string): { command: string[]; length: number } | undefined {
  const [head, count] = /^\*(\d+)\r\n/.exec(text) ?? [];
  if (head === undefined) return undefined;
  const command: string[] = [];
  let at = head.length;
  for (let i = 0; i < Number(count); i += 1) {
    const [prefix, size] = /^\$(\d+)\r\n/.exec(text.slice(at)) ?? [];
    if (prefix === undefined) return undefined;
    at += prefix.length;
    if (text.length < at + Number(size) + 2) return undefined;
    command.push(text.slice(at, at + Number(size)));
    at += Number(size) + 2;
  }
  return { command, length: at };
}
