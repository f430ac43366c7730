// `execstream migrate`: applies the migrations of the database, for deployments whose servers may not change tables.
import { Command } from 'commander';
import { toDatabaseError } from '../../execution/database/database-error.ts';
import { connectionConfig, migratePostgres, missingInPostgres } from '../../execution/database/postgres.ts';
import { createPrismaStore } from '../../execution/prisma-store.ts';
import { environmentWith } from '../../server/config/config.ts';
import { SERVER_SETTINGS } from '../../server/config/server-settings.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { explainStartError } from '../start-error.ts';

interface MigrateOptions {
  readonly databaseUrl?: string;
  readonly dataDir?: string;
  readonly check?: true;
}

const TIMEOUT_MS = 10_000;

export function migrateCommand(): Command {
  return new Command('migrate')
    .description(
      'Apply the migrations that the database lacks. A server does this itself when it starts, if its role may. Run' +
        ' this before, with a role that may, if the role of the servers may not create tables.',
    )
    .option('--database-url <url>', 'Postgres (DATABASE_URL; default: PGlite in DATA_DIR)')
    .option('--data-dir <folder>', 'the folder of PGlite (DATA_DIR; default: .data)')
    .option('--check', 'apply nothing; exit with 1 if migrations are missing')
    .action(async (options: MigrateOptions) => {
      try {
        process.exitCode = await migrate(options);
      } catch (error) {
        process.stderr.write(
          `execstream: ${explainStartError(toDatabaseError(error), settingsOf(options))}\n`,
        );
        process.exitCode = EXIT_CODES.failed;
      }
    });
}

function settingsOf({ databaseUrl, dataDir }: MigrateOptions): Record<string, string> {
  return {
    ...(databaseUrl !== undefined && { DATABASE_URL: databaseUrl }),
    ...(dataDir !== undefined && { DATA_DIR: dataDir }),
  };
}

async function migrate(options: MigrateOptions): Promise<number> {
  const env = environmentWith(settingsOf(options));
  const url = SERVER_SETTINGS.databaseUrl.read(env);
  if (url === undefined) return migrateEmbedded(SERVER_SETTINGS.dataDir.read(env), options);
  const config = connectionConfig(url, TIMEOUT_MS);
  const names = await (options.check ? missingInPostgres(config) : migratePostgres(config));
  for (const name of names) process.stdout.write(`${options.check ? 'missing' : 'applied'} ${name}\n`);
  if (names.length === 0) process.stdout.write('the database is up to date\n');
  return options.check && names.length > 0 ? EXIT_CODES.failed : EXIT_CODES.success;
}

async function migrateEmbedded(dataDir: string, { check }: MigrateOptions): Promise<number> {
  if (check) {
    process.stdout.write(`PGlite in ${dataDir}: its server applies all migrations\n`);
    return EXIT_CODES.success;
  }
  await using store = createPrismaStore({ dataDir });
  await store.ready();
  process.stdout.write(`PGlite in ${dataDir} is up to date\n`);
  return EXIT_CODES.success;
}
