// A worker for edge runtimes, in the form that Cloudflare Workers, Deno Deploy and Bun serve: POST /?id=… writes a poem.
//
//   STREAMS_URL    the server of execstream
//   STREAMS_TOKEN  a JWT with the scope `publish`; none if the server has no authentication
import { createHttpPublisher } from '../../src/worker-http.ts'; // 'execstream/worker/http'

export interface Env {
  readonly STREAMS_URL: string;
  readonly STREAMS_TOKEN?: string;
}

interface Context {
  /** Keeps the worker alive until the promise settles, after the response. */
  waitUntil(promise: Promise<unknown>): void;
}

const POEM = 'Roses are red,\nviolets are blue,\nthe edge has no sockets,\nbut HTTP will do.\n';

export default {
  async fetch(request: Request, env: Env, context: Context): Promise<Response> {
    const id = new URL(request.url).searchParams.get('id') ?? crypto.randomUUID();
    context.waitUntil(writePoem(id, env));
    return Response.json(
      { stream: `${env.STREAMS_URL}/api/v0/executions/agents/${id}/stream` },
      { status: 202 },
    );
  },
};

async function writePoem(id: string, { STREAMS_URL: url, STREAMS_TOKEN: token }: Env): Promise<void> {
  // Closed at the end of the block, which sends the queued events.
  await using publisher = createHttpPublisher({ url, ...(token && { token }) });
  const run = await publisher.begin({ id, kind: 'agent', agentId: 'poet' });
  for (const line of POEM.match(/.*\n/g) ?? []) await run.text(line);
  await run.complete();
}
