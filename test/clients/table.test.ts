// The clients that people use, through rotations and restarts of a real server: none of them ends silently, and those
// that follow docs/graphql.md and docs/rest.md miss and repeat nothing. Prints a table.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launchBrowser } from '../support/chromium.ts';
import { describePostgres } from '../support/postgres.ts';
import { describeOwnRedis } from '../support/redis.ts';
import { APOLLO } from './apollo-clients.ts';
import { browserClient } from './browser-client.ts';
import { allowed, type Client } from './clients.ts';
import { GATEWAY } from './gateway-client.ts';
import { buildGoClient, goClient } from './go-client.ts';
import { GRAPHQL_SSE } from './graphql-sse-clients.ts';
import { RELAY } from './relay-clients.ts';
import { buildHeyApi, restClients } from './rest-clients.ts';
import { runScenario, SCENARIOS, type Scenario } from './scenarios.ts';
import { URQL } from './urql-clients.ts';
import { startWorld, type World } from './world.ts';

const folder = mkdtempSync(join(tmpdir(), 'execstream-clients-'));
const browser = await launchBrowser().catch(() => undefined);
const go = await buildGoClient(folder);

const CLIENTS: readonly Client[] = [
  ...GRAPHQL_SSE,
  ...APOLLO,
  ...URQL,
  ...RELAY,
  ...GATEWAY,
  ...(browser ? [browserClient(browser)] : []),
  ...restClients(await buildHeyApi(folder)),
  ...('path' in go ? [goClient(go.path)] : []),
];

afterAll(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true, force: true });
});

describePostgres('with Postgres', () => {
  describeOwnRedis('and Redis', () => {
    let world: World;
    const columns = new Map<string, Map<string, string>>();
    const runAll = async (server: Scenario['server']) => {
      for (const scenario of SCENARIOS.filter((one) => one.server === server))
        columns.set(scenario.name, await runScenario(world, scenario, CLIENTS));
    };
    beforeAll(async () => {
      world = await startWorld();
      await Promise.all([runAll('server'), runAll('rotating')]);
    }, 240_000);
    afterAll(async () => {
      printTable(columns);
      await world?.[Symbol.asyncDispose]();
    });

    describe.each(SCENARIOS)('$name', (scenario) => {
      test.each(CLIENTS)('$name', (client) => {
        expect(columns.get(scenario.name)!.get(client.name)).toMatch(allowed(client, scenario.name));
      });
    });
  });
});

function printTable(columns: ReadonlyMap<string, ReadonlyMap<string, string>>): void {
  const names = SCENARIOS.map(({ name }) => name).filter((name) => columns.has(name));
  const rows = CLIENTS.map(({ name }) => [name, ...names.map((column) => columns.get(column)!.get(name)!)]);
  const table = [['client', ...names], ...rows];
  const widths = table[0]!.map((_, i) => Math.max(...table.map((row) => row[i]!.length)));
  const lines = table.map((row) => `| ${row.map((cell, i) => cell.padEnd(widths[i]!)).join(' | ')} |`);
  console.log(
    lines.toSpliced(1, 0, `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`).join('\n'),
  );
}
