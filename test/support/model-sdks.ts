// The SDKs of models for suites, in several major versions, and a server that replays the responses of their providers.
//
//   describeModelSdks('the stream of a model', () => {
//     test('…', async () => {
//       await using server = await replayModel(sse({ type: 'message_start', … }, …));
//       const { default: Anthropic } = await importSdk('anthropic-1');
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe } from 'vitest';
import { findPart, MODEL_SDKS } from '../../scripts/test-services.ts';

const folder = findPart(MODEL_SDKS);

/** `describe` for suites that need the SDKs; skipped if they are not installed. */
export const describeModelSdks = describe.skipIf(folder === undefined);

/** The module of a package, under its name in scripts/model-sdks.ts. The suites use many versions, so it is untyped. */
// biome-ignore lint/suspicious/noExplicitAny: the types of all versions would be dependencies.
export async function importSdk(name: string): Promise<any> {
  const packageFolder = join(folder!, 'node_modules', name);
  const { exports } = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8'));
  const file: string = exports['.'].import ?? exports['.'].default;
  return import(pathToFileURL(join(packageFolder, file)).href);
}

/** The text of a file of an SDK, such as its type declarations. */
export function readSdkFile(name: string, file: string): string {
  return readFileSync(join(folder!, 'node_modules', name, file), 'utf8');
}

/** The body of an event stream: an object is the data of a message, a string is sent as it is. */
export function sse(...messages: (object | string)[]): string {
  return messages
    .map((message) => {
      if (typeof message === 'string') return message;
      const event = 'type' in message ? `event: ${message.type}\n` : '';
      return `${event}data: ${JSON.stringify(message)}\n\n`;
    })
    .join('');
}

/** How one response ends. */
export interface Replay {
  readonly body: string;
  /** `complete` ends the response, `break` destroys the connection, `hang` leaves it open. */
  readonly end: 'complete' | 'break' | 'hang';
  readonly status?: number;
}

export interface ModelServer extends AsyncDisposable {
  readonly url: string;
  /** The bodies of the requests. */
  readonly requests: unknown[];
}

/** Starts a server that sends the responses in turn, and the last one to all further requests. */
export async function replayModel(...responses: (string | Replay)[]): Promise<ModelServer> {
  const requests: unknown[] = [];
  const server = createServer(async (request, response) => {
    requests.push(JSON.parse(await bodyOf(request)));
    const next = responses[Math.min(requests.length, responses.length) - 1]!;
    send(response, typeof next === 'string' ? { body: next, end: 'complete' } : next);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function send(response: ServerResponse, { body, end, status = 200 }: Replay): void {
  response.writeHead(status, {
    'content-type': status === 200 ? 'text/event-stream; charset=utf-8' : 'application/json',
  });
  // The connection must not break before the body is sent.
  response.write(body, () => end === 'break' && setImmediate(() => response.destroy()));
  if (end === 'complete') response.end();
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request.setEncoding('utf8')) body += chunk;
  return body;
}
