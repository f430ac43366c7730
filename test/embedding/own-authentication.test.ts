// Callers from the sessions of an application, and its policy (examples/embedding/own-authentication.ts).
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createWithSessions } from '../../examples/embedding/own-authentication.ts';
import type { Execstream } from '../../src/index.ts';
import { createMemoryStore } from '../support/memory-store.ts';

const SESSIONS: Record<string, { user: string; team: string; isAuditor: boolean }> = {
  s1: { user: 'ann', team: 'acme', isAuditor: false },
  s2: { user: 'ben', team: 'acme', isAuditor: false },
  s3: { user: 'eve', team: 'other', isAuditor: true },
};

let execstream: Execstream;
beforeEach(async () => {
  const store = createMemoryStore();
  execstream = createWithSessions(store, async (cookie) => SESSIONS[cookie]);
  await store.begin({ id: 'ann/1', kind: 'agent', mode: 'TEXT', tenant: 'acme' });
});
afterEach(() => execstream.close());

const send = (session?: string, path = '/streams/api/v0/executions/agents/ann%2F1') => {
  const headers: HeadersInit = session === undefined ? {} : { cookie: `theme=dark; session=${session}` };
  return execstream.fetch(new Request(`https://app.example${path}`, { headers }));
};

test('a user reads its own executions, an auditor all, and nobody else knows of them', async () => {
  expect((await send('s1')).status).toBe(200);
  expect((await send('s2')).status).toBe(404);
  expect((await send('s3')).status).toBe(200);
});

test('a request without a session is 401, and one with an expired session has the reason', async () => {
  expect((await send()).status).toBe(401);
  const expired = await send('s9');
  expect(await expired.json()).toMatchObject({
    status: 401,
    detail: 'the session has expired: sign in again',
  });
});

test('users of a page cannot publish', async () => {
  const headers = { cookie: 'session=s1', 'content-type': 'application/json' };
  const url = 'https://app.example/streams/api/v0/executions/agents/ann%2F2';
  const sent = new Request(url, { method: 'PUT', headers, body: '{}' });
  expect((await execstream.fetch(sent)).status).toBe(403);
});
