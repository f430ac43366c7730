// Publishes an execution over HTTP, as a worker in any language would: each batch has an idempotency key, with
// which it is repeated until there is a response (docs/publishing.md, "Over HTTP").
import { setTimeout as sleep } from 'node:timers/promises';
import { digest, eventDigest } from '../check/digest.ts';
import type { JournalWriter } from '../journal/writer.ts';
import { type ExecutionPlan, TENANT } from '../plan.ts';
import { mintJwt } from '../viewers/jwt.ts';
import type { Outcome } from './by-library.ts';
import { patchBatches, textPieces } from './contents.ts';
import type { Gate } from './gate.ts';

interface HttpContext {
  readonly url: string;
  readonly sharedKey: string;
  readonly journal: JournalWriter;
  readonly gate: Gate;
}

interface SentEvent {
  readonly type: string;
  readonly data: Record<string, unknown>;
}

const CALL_MS = 10_000;

/** Runs one attempt. */
export async function publishByHttp(
  plan: ExecutionPlan,
  attempt: number,
  context: HttpContext,
): Promise<Outcome> {
  const { id, kind, mode } = plan;
  const { journal, gate } = context;
  const path = `${context.url}/api/v0/executions/${kind}s/${id}`;
  journal.write({ is: 'begin', id, attempt });
  const begun = await call(context, 'PUT', path, {
    mode,
    attempt,
    ...(kind === 'agent' ? { agentId: 'http' } : {}),
  });
  if (begun.status === 409) return outcomeOfRejection(begun.body);
  if (begun.status !== 201) throw new Error(`PUT ${path}: ${begun.status} ${JSON.stringify(begun.body)}`);
  const { token, epoch, ...rest } = begun.body as { token: string; epoch: string; head: number };
  let { head } = rest;
  journal.write({ is: 'open', id, epoch, head: head - 1, attempt });
  journal.write({ is: 'ack', id, epoch, from: head, events: [null] });

  let batches = 0;
  /** @returns undefined if the batch was appended, else the outcome of the attempt. */
  async function send(events: readonly SentEvent[]): Promise<Outcome | undefined> {
    batches += 1;
    const headers = {
      'publisher-token': token,
      'publisher-head': `${head}`,
      'idempotency-key': `${attempt}-${batches}`,
    };
    const { status, body } = await call(context, 'POST', `${path}/events`, { events }, headers);
    if (status === 409) return outcomeOfRejection(body);
    if (status !== 200) throw new Error(`POST ${path}/events: ${status} ${JSON.stringify(body)}`);
    head = (body as { head: number }).head;
    const from = head - events.length + 1;
    const hashes = events.map(({ type, data }) => (isEnd(type) ? null : eventDigest(type, data)));
    journal.write({ is: 'ack', id, epoch, from, events: hashes });
    return undefined;
  }

  const givesUpAt = attempt === 1 ? plan.givesUpAt : undefined;
  let batchesSent = 0;
  let result: unknown = mode === 'TEXT' ? '' : null;
  for (const { events, state } of batchesOf(plan, attempt)) {
    if (batchesSent++ === givesUpAt) return { outcome: 'again', why: 'gave up' };
    const rejection = await send(events);
    if (rejection) return rejection;
    result = state;
    await sleep(plan.paceMs);
  }
  if (givesUpAt !== undefined) return { outcome: 'again', why: 'gave up' };
  const leave = await gate.enter();
  try {
    journal.write({ is: 'final', id, attempt, digest: digest(result) });
    const error = { status: 'FAILED', message: 'as planned' };
    const end = plan.ends === 'fail' ? { type: 'error', data: error } : { type: 'complete', data: {} };
    const rejection = await send([end]);
    if (rejection) return rejection;
    journal.write({ is: 'end', id, attempt });
    return { outcome: 'ended' };
  } finally {
    leave();
  }
}

interface Batch {
  readonly events: readonly SentEvent[];
  /** The state after all events so far. */
  readonly state: unknown;
}

function* batchesOf(plan: ExecutionPlan, attempt: number): Generator<Batch> {
  if (plan.mode === 'TEXT') {
    let text = '';
    for (const content of textPieces(plan, attempt)) {
      text += content;
      yield { events: [{ type: 'llm_chunk', data: { content } }], state: text };
    }
    return;
  }
  for (const { patches, state } of patchBatches(plan, attempt)) {
    yield { events: patches.map((patch) => ({ type: 'structured_delta', data: { patch } })), state };
  }
}

function outcomeOfRejection(body: unknown): Outcome {
  const { code } = body as { code?: string };
  return code === 'ENDED' ? { outcome: 'ended' } : { outcome: 'again', why: String(code) };
}

function isEnd(type: string): boolean {
  return type === 'complete' || type === 'error';
}

/** Repeats the request until the response is neither 429 nor 503. */
async function call(
  { sharedKey }: HttpContext,
  method: string,
  url: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: unknown }> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const authorization = `Bearer ${mintJwt(sharedKey, { sub: 'worker', tenant: TENANT, scope: 'read publish' }, 60)}`;
      const response = await fetch(url, {
        method,
        headers: { 'content-type': 'application/json', authorization, ...headers },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(CALL_MS),
      });
      const text = await response.text();
      const isLater = response.status === 429 || response.status === 503;
      if (!isLater) return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
    } catch {
      // Cut, rejected or timed out: the outcome is unknown, and the key makes repeating safe.
    }
    await sleep(Math.min(100 * attempt, 1_000));
  }
}
