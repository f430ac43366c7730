// A codec that encrypts payloads, and a codec server that decrypts them: what an application runs beside its workers.
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { PayloadCodec } from '@temporalio/common';
import { temporal } from '@temporalio/proto';

const { Payload } = temporal.api.common.v1;
const KEY = randomBytes(32);
const ENCODING = 'binary/encrypted';

/** AES-GCM over the whole payload, as in Temporal's samples. */
export const encryption: PayloadCodec = {
  encode: async (payloads) =>
    payloads.map((payload) => {
      const iv = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', KEY, iv);
      const text = Buffer.concat([cipher.update(Payload.encode(payload).finish()), cipher.final()]);
      const data = Buffer.concat([iv, cipher.getAuthTag(), text]);
      return { metadata: { encoding: Buffer.from(ENCODING) }, data };
    }),
  decode: async (payloads) =>
    payloads.map((payload) => {
      if (Buffer.from(payload.metadata?.encoding ?? []).toString() !== ENCODING) return payload;
      const data = Buffer.from(payload.data!);
      const decipher = createDecipheriv('aes-256-gcm', KEY, data.subarray(0, 12));
      decipher.setAuthTag(data.subarray(12, 28));
      return Payload.decode(Buffer.concat([decipher.update(data.subarray(28)), decipher.final()]));
    }),
};

export interface CodecServer extends AsyncDisposable {
  readonly url: string;
  readonly requests: { readonly path: string | undefined; readonly headers: IncomingHttpHeaders }[];
  /** The response to the next requests in place of the decoded payloads. */
  failure: { readonly status: number; readonly body: string } | undefined;
}

interface Body {
  readonly payloads: readonly { readonly metadata: Record<string, string>; readonly data: string }[];
}

export async function startCodecServer(): Promise<CodecServer> {
  const server = createServer(async (request, response) => {
    const { url: path, headers } = request;
    codec.requests.push({ path, headers });
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { failure } = codec;
    if (failure) return response.writeHead(failure.status).end(failure.body);
    const { payloads } = JSON.parse(Buffer.concat(chunks).toString()) as Body;
    const decoded = await encryption.decode(payloads.map((payload) => Payload.fromObject(payload)));
    return response.end(
      JSON.stringify({ payloads: decoded.map((each) => Payload.fromObject(each).toJSON()) }),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const codec: CodecServer = {
    url: `http://127.0.0.1:${port}`,
    requests: [],
    failure: undefined,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return codec;
}
