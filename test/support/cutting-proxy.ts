// A proxy that cuts connections: before a request reaches the server, or after the server has processed it.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** What happens to the bytes of one request. */
export type Cut = 'none' | 'before' | 'after';

export async function startCuttingProxy(target: { readonly url: string }, cutOf: () => Cut) {
  const sockets = new Set<Socket>();
  const counts = { before: 0, after: 0 };
  const proxy = createServer((client) => {
    const server = connect(Number(new URL(target.url).port), '127.0.0.1');
    let isCutting = false;
    const end = () => {
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) {
      sockets.add(socket);
      socket.on('error', end);
      socket.on('close', () => {
        sockets.delete(socket);
        end();
      });
    }
    client.on('data', (bytes) => {
      const cut = isCutting ? 'none' : cutOf();
      if (cut !== 'none') counts[cut] += 1;
      if (cut === 'before') return end();
      isCutting ||= cut === 'after';
      server.write(bytes);
    });
    server.on('data', (bytes) => (isCutting ? end() : client.write(bytes)));
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  return {
    url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    counts,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      proxy.close();
    },
  };
}
