// A proxy whose connections can become silent, as they do when the other end disappears without a packet.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A network that can lose everything without closing a connection. */
export async function startProxy(app: { readonly url: string }) {
  const sockets: Socket[] = [];
  let connections = 0;
  const proxy = createServer((client) => {
    connections += 1;
    const server = connect(Number(new URL(app.url).port), '127.0.0.1');
    sockets.push(client, server);
    for (const socket of [client, server]) socket.on('error', () => {});
    client.pipe(server).pipe(client);
    client.on('close', () => server.destroy());
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  return {
    url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    get connections() {
      return connections;
    },
    /** Of the connections so far, nothing arrives any more. */
    silence: () => {
      for (const socket of sockets) {
        socket.unpipe();
        socket.pause();
      }
    },
    /** The connections so far break, as they do when the process at the other end is killed. */
    drop: () => {
      for (const socket of sockets.splice(0)) socket.destroy();
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      proxy.close();
    },
  };
}
