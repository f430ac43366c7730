// The clients that people use, through rotations and restarts of a real server: none of them ends silently, and those
// that follow docs/graphql.md and docs/rest.md miss and repeat nothing. Prints a table.
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describePostgres } from '../support/postgres.ts';
import { describeOwnRedis } from '../support/redis.ts';
import { createClients } from './all-clients.ts';
import { allowed } from './clients.ts';
import { SCENARIOS, type Scenario } from './scenarios.ts';
import { watchAll } from './watch-all.ts';
import { startWorld, type World } from './world.ts';

const all = await createClients();
const { clients, leftOut } = all;
afterAll(() => all[Symbol.asyncDispose]());

describePostgres('with Postgres', () => {
  describeOwnRedis('and Redis', () => {
    let world: World;
    const columns = new Map<string, Map<string, string>>();
    /** Why a client reported an error, by scenario and client. */
    const causes = new Map<string, string>();
    const runAll = async (name: Scenario['server']) => {
      const server = world[name];
      for (const scenario of SCENARIOS.filter((one) => one.server === name)) {
        const publishing = await world.begin(scenario.name.replace(' ', '-'));
        const publish = () => scenario.run(server, publishing);
        const onError = (client: string, error: unknown) =>
          void causes.set(`${scenario.name}, ${client}`, inspect(error));
        columns.set(scenario.name, await watchAll(server.url, publishing, clients, publish, onError));
      }
    };
    beforeAll(async () => {
      world = await startWorld();
      await Promise.all([runAll('server'), runAll('rotating')]);
    }, 240_000);
    afterAll(async () => {
      console.log([...tableOf(columns), ...leftOut].join('\n'));
      await world?.[Symbol.asyncDispose]();
    });

    describe.each(SCENARIOS)('$name', (scenario) => {
      test.each(clients)('$name', (client) => {
        const cell = columns.get(scenario.name)!.get(client.name);
        expect(cell, causes.get(`${scenario.name}, ${client.name}`)).toMatch(allowed(client, scenario.name));
      });
    });
  });
});

function tableOf(columns: ReadonlyMap<string, ReadonlyMap<string, string>>): string[] {
  const names = SCENARIOS.map(({ name }) => name).filter((name) => columns.has(name));
  const rows = clients.map(({ name }) => [name, ...names.map((column) => columns.get(column)!.get(name)!)]);
  const table = [['client', ...names], ...rows];
  const widths = table[0]!.map((_, i) => Math.max(...table.map((row) => row[i]!.length)));
  const lines = table.map((row) => `| ${row.map((cell, i) => cell.padEnd(widths[i]!)).join(' | ')} |`);
  return lines.toSpliced(1, 0, `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`);
}
