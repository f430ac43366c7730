// `npm run attack`: how far one caller can affect a server and another tenant. Each attack runs against a new
// server, over real Redis and Postgres, on the loopback interface only.
//
//   npm run attack                                    all attacks, 10 s each
//   npm run attack -- --only 5,7a --seconds 5 --json attacks.json
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PostgresServer } from '../../scripts/postgres.ts';
import { findPart, POSTGRES, REDIS } from '../../scripts/test-services.ts';
import { chooseAttacks } from './attacks/all.ts';
import { parseOptions, USAGE } from './options.ts';
import { broken, describe } from './report.ts';
import { type AttackResult, runAttack } from './run.ts';

if (process.argv.includes('--help')) {
  console.log(USAGE);
  process.exit();
}

let isInterrupted = false;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    // The first signal stops after this attack, the second one immediately.
    if (isInterrupted) process.exit(130);
    isInterrupted = true;
  });
}

async function main(): Promise<number> {
  const { seconds, only, limits, json } = parseOptions(process.argv.slice(2));
  const attacks = chooseAttacks(only);
  const redisBinary = findPart(REDIS);
  const bin = findPart(POSTGRES);
  if (!redisBinary || !bin) {
    throw new Error('The attacks need Redis 7 and PostgreSQL; `npm test -- --install` installs them.');
  }
  const folder = realpathSync(mkdtempSync(join(process.env.TEST_FOLDER ?? tmpdir(), 'attack-')));
  // Postgres may run as another user, in a folder below this one.
  chmodSync(folder, 0o755);
  process.env.TEST_FOLDER = folder;
  const postgres = await PostgresServer.start({ bin });
  const results: AttackResult[] = [];
  try {
    const sharedKey = randomBytes(32).toString('hex');
    for (const attack of attacks) {
      if (isInterrupted) break;
      const common = { folder, redisBinary, postgresUrl: postgres.url, sharedKey };
      const result = await runAttack({ ...common, attack, seconds });
      results.push(result);
      console.log(`${attack.id} ${attack.title}: ${broken(result, limits).join('; ') || 'ok'}`);
    }
  } finally {
    await postgres.stop();
  }
  console.log(`\n${describe(results, limits)}`);
  const judged = results.map((result) => ({ ...result, broken: broken(result, limits) }));
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(judged, null, 2)}\n`);
  const hasFailed = isInterrupted || judged.some((result) => result.broken.length > 0);
  if (hasFailed) console.log(`Logs: ${folder}`);
  else rmSync(folder, { recursive: true, force: true });
  return hasFailed ? 1 : 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
// Timers and native runtimes of libraries must not keep the process alive.
process.stdout.write('', () => process.exit());
