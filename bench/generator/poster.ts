// Posts to a publisher endpoint over one raw connection with pipelined requests.
import { connect, type Socket } from 'node:net';

/** The request. `{id}` is replaced by an execution's id, and `{event}` in the body by the event. */
export interface PostSpec {
  readonly port: number;
  readonly path: string;
  /** Includes the content type of the body; in a form, the event is escaped. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Poster {
  post(id: string, event: string): void;
  close(): void;
}

/** Below the idle timeout of servers: a request that crosses a server's close would be lost. */
const IDLE_MS = 1_000;

export function createPoster({ port, path, headers, body }: PostSpec): Poster {
  const isForm = headers['Content-Type'] === 'application/x-www-form-urlencoded';
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = ` HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${lines.join('')}Content-Length: `;
  let socket: Socket | undefined;
  return {
    post: (id, event) => {
      if (!socket?.writable) socket = open(port);
      const filled = body
        .replace('{id}', id)
        .replace('{event}', () => (isForm ? encodeURIComponent(event) : event));
      socket.write(`POST ${path.replace('{id}', id)}${head}${Buffer.byteLength(filled)}\r\n\r\n${filled}`);
    },
    close: () => socket?.resetAndDestroy(),
  };
}

function open(port: number): Socket {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  socket.setTimeout(IDLE_MS, () => socket.end());
  // Responses and errors are ignored: an event that was not published does not arrive, which is counted.
  return socket.resume().on('error', () => {});
}
