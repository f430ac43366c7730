// The configuration of the `prisma` command: `prisma generate` generates the client (npm's `prepare` runs it), and
// `prisma migrate deploy` applies the migrations if an operator prefers that to the server doing it.
import { defineConfig } from 'prisma/config';

// `prisma generate` requires the schema engine to exist, or downloads it, but never runs it. Any existing program
// passes the check, so that generating needs no network. Other commands do run the engine.
if (process.argv.includes('generate')) process.env.PRISMA_SCHEMA_ENGINE_BINARY ??= process.execPath;

/**
 * Keeps `_prisma_migrations` in our schema, where the server keeps it too. The engine uses the schema of the URL;
 * in `public`, another Prisma project may keep its own table, and each would miss the other's migrations.
 */
function inOwnSchema(url: string): string {
  const ownUrl = new URL(url);
  ownUrl.searchParams.set('schema', 'execstream');
  return ownUrl.href;
}

const url = process.env.DATABASE_URL;

export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
  ...(url ? { datasource: { url: inOwnSchema(url) } } : {}),
});
