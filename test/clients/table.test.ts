// The clients that people use, through rotations and restarts of a real server: none of them ends silently, and those
// that follow docs/graphql.md and docs/rest.md miss and repeat nothing. Prints a table.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ServerProcess } from '../server/process.ts';
import { describePostgres } from '../support/postgres.ts';
import { describeOwnRedis } from '../support/redis.ts';
import { allowed, type Client } from './clients.ts';
import { GRAPHQL_SSE } from './graphql-sse-clients.ts';
import { runScenario, SCENARIOS } from './scenarios.ts';
import { startWorld, type World } from './world.ts';

const CLIENTS: readonly Client[] = [...GRAPHQL_SSE];

describePostgres('with Postgres', () => {
  describeOwnRedis('and Redis', () => {
    let world: World;
    const columns = new Map<string, Map<string, string>>();
    beforeAll(async () => {
      world = await startWorld();
    });
    afterAll(async () => {
      printTable(columns);
      await world?.[Symbol.asyncDispose]();
    });

    describe.each(SCENARIOS)('$name', (scenario) => {
      let server: ServerProcess;
      beforeAll(async () => {
        server = await world.startServer(scenario.env);
        columns.set(scenario.name, await runScenario(world, server, scenario, CLIENTS));
      }, 90_000);

      test.each(CLIENTS)('$name', (client) => {
        expect(columns.get(scenario.name)!.get(client.name)).toMatch(allowed(client, scenario.name));
      });
    });
  });
});

function printTable(columns: ReadonlyMap<string, ReadonlyMap<string, string>>): void {
  const names = [...columns.keys()];
  const rows = CLIENTS.map(({ name }) => [name, ...names.map((column) => columns.get(column)!.get(name)!)]);
  const table = [['client', ...names], ...rows];
  const widths = table[0]!.map((_, i) => Math.max(...table.map((row) => row[i]!.length)));
  const lines = table.map((row) => `| ${row.map((cell, i) => cell.padEnd(widths[i]!)).join(' | ')} |`);
  console.log(lines.toSpliced(1, 0, `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`).join('\n'));
}
