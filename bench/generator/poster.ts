// Posts to a publisher endpoint over one raw connection, requests pipelined.
import { connect } from 'node:net';

export interface Poster {
  post(path: string, body: string): void;
  close(): void;
}

export async function createPoster(port: number): Promise<Poster> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  // Answers are not looked at: what was not published does not arrive, which is counted.
  socket.resume();
  return {
    post: (path, body) =>
      void socket.write(
        `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: application/json\r\n` +
          `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
      ),
    close: () => socket.resetAndDestroy(),
  };
}
