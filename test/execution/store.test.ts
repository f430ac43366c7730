// The contract of the store, for memory, PGlite and (if TEST_POSTGRES_URL names a server) Postgres.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createPrismaStore, type PrismaStore } from '../../src/execution/prisma-store.ts';
import { createMemoryStore } from '../support/memory-store.ts';
import { createDatabase, type Database, describePostgres } from '../support/postgres.ts';
import { storeContract } from './store.contract.ts';

describe('memory', () => {
  const store = createMemoryStore();
  storeContract(async () => [store, store]);
});

describe('PGlite', () => {
  let store: PrismaStore;

  beforeAll(async () => {
    store = createPrismaStore({ memory: true }, { timeoutMs: 20_000 });
    await store.ready();
  }, 60_000);

  afterAll(() => store.close());

  storeContract(async () => [store, store]);
});

describePostgres('Postgres', () => {
  let stores: [PrismaStore, PrismaStore];
  let database: Database;

  beforeAll(async () => {
    database = await createDatabase();
    stores = [createPrismaStore({ url: database.url }), createPrismaStore({ url: database.url })];
  });

  afterAll(async () => {
    await Promise.all(stores.map((store) => store.close()));
    await database.drop();
  });

  storeContract(async () => stores);

  test('times are equal in a session of another time zone', async () => {
    const url = new URL(database.url);
    url.searchParams.set('options', '-c TimeZone=Asia/Kolkata');
    const otherZone = createPrismaStore({ url: url.href });
    const row = await otherZone.begin({ id: 'zone', kind: 'task', mode: 'TEXT' });
    expect(Math.abs(row.startedAt.getTime() - Date.now())).toBeLessThan(60_000);
    expect(await stores[0].get('zone')).toEqual(row);
    await otherZone.close();
  });
});
