// The victim's process: another tenant that publishes and watches one execution, makes ordinary calls, and polls the
// server's health, all by its own clock.
//
//   node --import tsx prove/attack/victim.ts '<Ground as JSON>'      (with an IPC channel)
import { type ClientRequest, request } from 'node:http';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { createPrismaStore, createPublisher, createRedisLogWriter } from '../../src/worker.ts';
import { createCaller } from './caller.ts';
import type { FromVictim, Ground, ToVictim } from './messages.ts';
import { createProbe } from './probe.ts';

const { url, redisUrl, databaseUrl, sharedKey } = JSON.parse(process.argv[2]!) as Ground;
const ID = 'victim-1';
const TENANT = 'victim';
const EVENTS_PER_SECOND = 20;
/** How long a blocked server is waited for after the attack. */
const PATIENCE_MS = 60_000;
const RECONNECT_MS = 100;

const tell = (message: FromVictim): void => {
  if (process.connected) process.send!(message);
};
process.on('disconnect', () => process.exit(0));

const refusals: Record<string, number> = {};
const caller = createCaller({
  url,
  sharedKey,
  claims: { sub: 'victim', tenant: TENANT, scope: 'read publish' },
  // A server may close an idle connection at the moment in which it is used again: that is not what is measured.
  isKeptAlive: false,
});

// The stream: published through Redis by the library, so that the server has only to deliver it.
const log = createRedisLogWriter({ redis: redisUrl });
const publisher = createPublisher({ log, store: createPrismaStore({ url: databaseUrl }) });
const run = await publisher.begin({ id: ID, kind: 'agent', agentId: 'victim', mode: 'TEXT', tenant: TENANT });
let sent = 0;
setInterval(() => {
  sent += 1;
  void run.text(`${sent} `);
}, 1_000 / EVENTS_PER_SECOND);

const stream = { received: 0, lastAt: performance.now(), longestPauseMs: 0, reconnects: 0, lastEventId: '' };

function notePause(): void {
  const now = performance.now();
  stream.longestPauseMs = Math.max(stream.longestPauseMs, now - stream.lastAt);
}

function watch(onFirst?: () => void): ClientRequest {
  const headers = {
    accept: 'text/event-stream',
    authorization: `Bearer ${caller.jwt}`,
    ...(stream.lastEventId !== '' && { 'last-event-id': stream.lastEventId }),
  };
  const watching = request(`${url}/api/v0/executions/agents/${ID}/stream`, { headers, agent: false });
  let isOver = false;
  const again = (): void => {
    if (isOver) return;
    isOver = true;
    stream.reconnects += 1;
    setTimeout(watch, RECONNECT_MS);
  };
  watching.once('response', (response) => {
    let rest = '';
    response.on('data', (chunk: Buffer) => {
      const blocks = (rest + chunk.toString('latin1')).split('\n\n');
      rest = blocks.pop()!;
      for (const block of blocks) {
        stream.lastEventId = /^id: (.+)$/m.exec(block)?.[1] ?? stream.lastEventId;
        if (!block.includes('event: llm_chunk')) continue;
        notePause();
        stream.lastAt = performance.now();
        stream.received += 1;
        onFirst?.();
      }
    });
    response.once('close', again);
    response.on('error', again);
  });
  watching.on('error', again);
  watching.end();
  return watching;
}

const live = createProbe(
  100,
  () =>
    new Promise<boolean>((resolve) => {
      const asked = request(`${url}/health/live`, { agent: false }, (response) => {
        response.resume().once('close', () => resolve(response.statusCode === 200));
      });
      asked.on('error', () => resolve(false)).end();
    }),
);

/** What a tenant does in the course of a day, one after the other. */
const QUERY = `{ execution(kind: AGENT, id: "${ID}") { status name } executions(first: 10) { edges { node { id } } } }`;
const CALLS: readonly (() => Promise<{ status: number; text: string }>)[] = [
  () => caller.graphql(QUERY),
  () => caller.call(`/api/v0/executions/agents/${ID}`),
  () => caller.graphql(QUERY),
  () => caller.call('/api/v0/stream-tokens', { body: { executions: [ID] } }),
  () => caller.graphql(QUERY),
  () => caller.call('/graphql/stream', { method: 'PUT', body: '' }),
];
let turn = 0;
const calls = createProbe(250, async () => {
  turn += 1;
  const { status, text } = await CALLS[turn % CALLS.length]!();
  const isWell = status >= 200 && status < 300 && !text.startsWith('{"errors"');
  if (!isWell) {
    const how = status === 0 ? 'no answer' : `${status} ${/"code":"(\w+)"/.exec(text)?.[1] ?? ''}`.trim();
    refusals[how] = (refusals[how] ?? 0) + 1;
  }
  return isWell;
});

const delay = monitorEventLoopDelay({ resolution: 10 });
let sentBefore = 0;
let began = 0;

function measure(): void {
  Object.assign(stream, { received: 0, lastAt: performance.now(), longestPauseMs: 0, reconnects: 0 });
  sentBefore = sent;
  began = performance.now();
  delay.enable();
  live.start();
  calls.start();
}

async function report(isServerDead: boolean): Promise<void> {
  const deadline = performance.now() + (isServerDead ? 0 : PATIENCE_MS);
  const expected = sent - sentBefore;
  const [liveLatency, callLatency] = await Promise.all([live.stop(PATIENCE_MS), calls.stop(PATIENCE_MS)]);
  // Until the stream goes on, its pause goes on.
  const before = stream.received;
  while (stream.received === before && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  notePause();
  const { received, longestPauseMs, reconnects } = stream;
  const seconds = (performance.now() - began) / 1_000;
  tell({
    is: 'measured',
    measured: {
      live: liveLatency,
      calls: callLatency,
      refusals,
      stream: {
        received,
        expected: Math.max(expected, Math.floor(seconds * EVENTS_PER_SECOND)),
        longestPauseMs: Math.round(longestPauseMs),
        reconnects,
      },
      ownDelayMs: Math.round(delay.max / 1e6),
    },
  });
}

process.on('message', (message: ToVictim) => {
  if (message.do === 'measure') measure();
  else void report(message.isServerDead);
});
await new Promise<void>((resolve) => watch(resolve));
// Once each beforehand: what is compiled and connected at the first call is not the attack's doing.
for (const call of CALLS) await call();
tell({ is: 'ready' });
