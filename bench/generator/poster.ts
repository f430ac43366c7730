// Posts to a publisher endpoint over one raw connection, requests pipelined.
import { connect, type Socket } from 'node:net';

/** What is posted. `{id}` stands for an execution's id; in the body, `{event}` stands for the event. */
export interface PostSpec {
  readonly port: number;
  readonly path: string;
  /** With the type of the body: in that of a form, the event is escaped. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Poster {
  post(id: string, event: string): void;
  close(): void;
}

/** Servers close what has been idle for some seconds, and a request that crosses this on its way is lost. */
const IDLE_MS = 1_000;

export function createPoster({ port, path, headers, body }: PostSpec): Poster {
  const isForm = headers['Content-Type'] === 'application/x-www-form-urlencoded';
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = ` HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${lines.join('')}Content-Length: `;
  let socket: Socket | undefined;
  return {
    post: (id, event) => {
      if (!socket?.writable) socket = open(port);
      const sent = body
        .replace('{id}', id)
        .replace('{event}', () => (isForm ? encodeURIComponent(event) : event));
      socket.write(`POST ${path.replace('{id}', id)}${head}${Buffer.byteLength(sent)}\r\n\r\n${sent}`);
    },
    close: () => socket?.resetAndDestroy(),
  };
}

function open(port: number): Socket {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  socket.setTimeout(IDLE_MS, () => socket.end());
  // Neither answers nor errors are looked at: what was not published does not arrive, which is counted.
  return socket.resume().on('error', () => {});
}
