// All clients of the suite that this machine can run.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { launchBrowser } from '../support/chromium.ts';
import { APOLLO } from './apollo-clients.ts';
import { browserClient } from './browser-client.ts';
import type { Client } from './clients.ts';
import { EXECSTREAM } from './execstream-client.ts';
import { GATEWAY } from './gateway-client.ts';
import { buildGoClient, goClients } from './go-client.ts';
import { GRAPHQL_SSE } from './graphql-sse-clients.ts';
import { RELAY } from './relay-clients.ts';
import { buildHeyApi, restClients } from './rest-clients.ts';
import { URQL } from './urql-clients.ts';

export interface AllClients extends AsyncDisposable {
  readonly clients: readonly Client[];
  /** One line for each client that was left out, and why. */
  readonly leftOut: readonly string[];
}

export async function createClients(): Promise<AllClients> {
  const folder = mkdtempSync(join(tmpdir(), 'execstream-clients-'));
  const [go, heyApi] = await Promise.all([buildGoClient(folder), buildHeyApi(folder)]);
  const leftOut: string[] = [];
  const leaveOut = (name: string, why: string) => {
    leftOut.push(`${name} was left out: ${why}`);
    return [];
  };
  const browser = await launchBrowser().catch((error: Error) => error);
  const clients = [
    ...EXECSTREAM,
    ...GRAPHQL_SSE,
    ...APOLLO,
    ...URQL,
    ...RELAY,
    ...GATEWAY,
    ...(browser instanceof Error
      ? leaveOut('EventSource (Chromium)', browser.message)
      : [browserClient(browser)]),
    ...restClients(heyApi),
    ...('why' in go ? leaveOut('Go', go.why) : goClients(go.path)),
  ];
  return {
    clients,
    leftOut,
    [Symbol.asyncDispose]: async () => {
      if (!(browser instanceof Error)) await browser.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
