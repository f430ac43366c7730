// The victim's process: another tenant that publishes and watches one execution, makes ordinary calls, and polls
// the server's health, measured by its own clock.
//
//   node --import tsx prove/attack/victim.ts '<AttackTarget as JSON>'      (with an IPC channel)
import { type ClientRequest, request } from 'node:http';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { createPrismaStore, createPublisher, createRedisLogWriter } from '../../src/worker.ts';
import { createCaller } from './caller.ts';
import type { AttackTarget, FromVictim, ToVictim } from './messages.ts';
import { createProbe } from './probe.ts';

const { url, redisUrl, databaseUrl, sharedKey } = JSON.parse(process.argv[2]!) as AttackTarget;
const ID = 'victim-1';
const TENANT = 'victim';
const EVENTS_PER_SECOND = 20;
/** How long to wait for a blocked server after the attack. */
const PATIENCE_MS = 60_000;
const RECONNECT_MS = 100;

const send = (message: FromVictim): void => {
  if (process.connected) process.send!(message);
};
process.on('disconnect', () => process.exit(0));

const rejections: Record<string, number> = {};
const caller = createCaller({
  url,
  sharedKey,
  claims: { sub: 'victim', tenant: TENANT, scope: 'read publish' },
  // A server may close an idle connection at the moment of its reuse; that is not measured here.
  isKeptAlive: false,
});

// The stream is published through Redis by the library, so that the server only has to deliver it.
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
  const outgoing = request(`${url}/api/v0/executions/agents/${ID}/stream`, { headers, agent: false });
  let isOver = false;
  const reconnect = (): void => {
    if (isOver) return;
    isOver = true;
    stream.reconnects += 1;
    setTimeout(watch, RECONNECT_MS);
  };
  outgoing.once('response', (response) => {
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
    response.once('close', reconnect);
    response.on('error', reconnect);
  });
  outgoing.on('error', reconnect);
  outgoing.end();
  return outgoing;
}

const live = createProbe(
  100,
  () =>
    new Promise<boolean>((resolve) => {
      const outgoing = request(`${url}/health/live`, { agent: false }, (response) => {
        response.resume().once('close', () => resolve(response.statusCode === 200));
      });
      outgoing.on('error', () => resolve(false)).end();
    }),
);

/** Ordinary calls of a tenant, made in turn. */
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
  const isOk = status >= 200 && status < 300 && !text.startsWith('{"errors"');
  if (!isOk) {
    const outcome =
      status === 0 ? 'no response' : `${status} ${/"code":"(\w+)"/.exec(text)?.[1] ?? ''}`.trim();
    rejections[outcome] = (rejections[outcome] ?? 0) + 1;
  }
  return isOk;
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
  // The pause lasts until the stream continues.
  const before = stream.received;
  while (stream.received === before && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  notePause();
  const { received, longestPauseMs, reconnects } = stream;
  const seconds = (performance.now() - began) / 1_000;
  send({
    is: 'measured',
    measured: {
      live: liveLatency,
      calls: callLatency,
      rejections,
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
// Warm-up: compiling and connecting at the first call is not an effect of the attack.
for (const call of CALLS) await call();
send({ is: 'ready' });
