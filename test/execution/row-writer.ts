// A program that writes the row `kept` into a data directory, and keeps running:
//
//   node --import tsx test/execution/row-writer.ts <folder>
import { createPrismaStore } from '../../src/execution/prisma-store.ts';

const store = createPrismaStore({ dataDir: process.argv[2]! });
await store.begin({ id: 'kept', kind: 'task', mode: 'TEXT' });
process.stdout.write('written');
setInterval(() => {}, 1_000);
