// A store of the application (examples/embedding/own-store.ts): it passes the contract of stores, and serves.
import { describe, expect, test } from 'vitest';
import { createJournaledStore } from '../../examples/embedding/own-store.ts';
import { createExecstream, createMemoryLog } from '../../src/index.ts';
import { storeContract } from '../execution/store.contract.ts';
import { createMemoryStore } from '../support/memory-store.ts';

function createJournal() {
  const lines: string[] = [];
  const journal = {
    begun: async ({ id }: { id: string }) => void lines.push(`${id} begun`),
    ended: async ({ id, status }: { id: string; status: string }) => void lines.push(`${id} ${status}`),
  };
  return { lines, journal };
}

describe('a store of the application', () => {
  storeContract(async () => {
    const store = createJournaledStore(createMemoryStore(), createJournal().journal);
    return [store, store];
  });
});

test('an execution is published and streamed, and its begin and end are in the journal once', async () => {
  const { lines, journal } = createJournal();
  const store = createJournaledStore(createMemoryStore(), journal);
  const execstream = createExecstream({ log: createMemoryLog(), store, authenticate: () => ({ id: 'ann' }) });
  const run = await execstream.publisher().begin({ kind: 'agent', id: 'a1' });
  await run.text('hello');
  await run.complete();
  await store.finish('a1', 1, { status: 'CANCELED', error: { message: 'too late' } });
  const url = 'https://app.example/api/v0/executions/agents/a1/stream';
  const response = await execstream.fetch(new Request(url));
  expect(await response.text()).toMatch(/data: hello\n.*event: complete\n/s);
  expect(lines).toEqual(['a1 begun', 'a1 SUCCESS']);
  await execstream.close();
});
