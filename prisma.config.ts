// What the `prisma` command needs to know: `prisma generate` makes the client (npm's `prepare` runs it), and
// `prisma migrate deploy` applies the migrations where an operator prefers that to the server doing it.
import { defineConfig } from 'prisma/config';

// `prisma generate` looks for the schema engine, downloads one where there is none, and never runs it. Any program
// that exists satisfies the look, so that generating needs no network. Other commands do run the engine.
if (process.argv.includes('generate')) process.env.PRISMA_SCHEMA_ENGINE_BINARY ??= process.execPath;

/**
 * The engine keeps `_prisma_migrations` in the schema that the URL names. Ours, where the server keeps it too: in
 * `public` another Prisma project of the same database may keep its own, and each would miss the other's files.
 */
function inOwnSchema(url: string): string {
  const own = new URL(url);
  own.searchParams.set('schema', 'execstream');
  return own.href;
}

const url = process.env.DATABASE_URL;

export default defineConfig({
  schema: 'prisma/schema.prisma',
  migrations: { path: 'prisma/migrations' },
  ...(url ? { datasource: { url: inOwnSchema(url) } } : {}),
});
