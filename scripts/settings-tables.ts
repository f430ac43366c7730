// Updates the tables of settings in docs/ from src/server/config/:  node --import tsx scripts/settings-tables.ts
import { readFileSync, writeFileSync } from 'node:fs';
import { withTables } from '../src/server/config/reference.ts';

for (const page of ['docs/configuration.md', 'docs/authentication.md']) {
  const path = new URL(`../${page}`, import.meta.url);
  writeFileSync(path, withTables(readFileSync(path, 'utf8')));
}
