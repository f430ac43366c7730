// An execution published over HTTP, as a worker in any language would: each batch under a key, sent again with the same
// key until there is an answer (docs/publishing.md, "Over HTTP").
import { setTimeout as sleep } from 'node:timers/promises';
import { digest, eventDigest } from '../check/digest.ts';
import type { JournalWriter } from '../journal/writer.ts';
import { type ExecutionPlan, TENANT } from '../plan.ts';
import { mintJwt } from '../viewers/jwt.ts';
import type { Outcome } from './by-library.ts';
import { patchBatches, textPieces } from './contents.ts';
import type { Gate } from './gate.ts';

interface HttpRig {
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
export async function publishByHttp(plan: ExecutionPlan, attempt: number, rig: HttpRig): Promise<Outcome> {
  const { id, kind, mode } = plan;
  const { journal, gate } = rig;
  const path = `${rig.url}/api/v0/executions/${kind}s/${id}`;
  journal.write({ is: 'begin', id, attempt });
  const begun = await call(rig, 'PUT', path, {
    mode,
    attempt,
    ...(kind === 'agent' ? { agentId: 'http' } : {}),
  });
  if (begun.status === 409) return refusal(begun.body);
  if (begun.status !== 201) throw new Error(`PUT ${path}: ${begun.status} ${JSON.stringify(begun.body)}`);
  const { token, epoch, ...answered } = begun.body as { token: string; epoch: string; head: number };
  let { head } = answered;
  journal.write({ is: 'open', id, epoch, head: head - 1, attempt });
  journal.write({ is: 'ack', id, epoch, from: head, events: [null] });

  let batches = 0;
  /** @returns undefined where it was appended; else how the attempt came out. */
  async function send(events: readonly SentEvent[]): Promise<Outcome | undefined> {
    batches += 1;
    const headers = {
      'publisher-token': token,
      'publisher-head': `${head}`,
      'idempotency-key': `${attempt}-${batches}`,
    };
    const { status, body } = await call(rig, 'POST', `${path}/events`, { events }, headers);
    if (status === 409) return refusal(body);
    if (status !== 200) throw new Error(`POST ${path}/events: ${status} ${JSON.stringify(body)}`);
    head = (body as { head: number }).head;
    const from = head - events.length + 1;
    const hashes = events.map(({ type, data }) => (isEnd(type) ? null : eventDigest(type, data)));
    journal.write({ is: 'ack', id, epoch, from, events: hashes });
    return undefined;
  }

  const givesUpAt = attempt === 1 ? plan.givesUpAt : undefined;
  let said = 0;
  let result: unknown = mode === 'TEXT' ? '' : null;
  for (const { events, state } of batchesOf(plan, attempt)) {
    if (said++ === givesUpAt) return { outcome: 'again', why: 'gave up' };
    const refused = await send(events);
    if (refused) return refused;
    result = state;
    await sleep(plan.paceMs);
  }
  if (givesUpAt !== undefined) return { outcome: 'again', why: 'gave up' };
  const leave = await gate.enter();
  try {
    journal.write({ is: 'final', id, attempt, digest: digest(result) });
    const error = { status: 'FAILED', message: 'as planned' };
    const end = plan.ends === 'fail' ? { type: 'error', data: error } : { type: 'complete', data: {} };
    const refused = await send([end]);
    if (refused) return refused;
    journal.write({ is: 'end', id, attempt });
    return { outcome: 'ended' };
  } finally {
    leave();
  }
}

interface Batch {
  readonly events: readonly SentEvent[];
  /** What all events so far add up to. */
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

function refusal(body: unknown): Outcome {
  const { code } = body as { code?: string };
  return code === 'ENDED' ? { outcome: 'ended' } : { outcome: 'again', why: String(code) };
}

function isEnd(type: string): boolean {
  return type === 'complete' || type === 'error';
}

/** Calls until there is an answer that is not "later"; the same request each time. */
async function call(
  { sharedKey }: HttpRig,
  method: string,
  url: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: unknown }> {
  for (let tries = 1; ; tries += 1) {
    try {
      const authorization = `Bearer ${mintJwt(sharedKey, { sub: 'worker', tenant: TENANT, scope: 'read publish' }, 60)}`;
      const answer = await fetch(url, {
        method,
        headers: { 'content-type': 'application/json', authorization, ...headers },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(CALL_MS),
      });
      const text = await answer.text();
      const isLater = answer.status === 429 || answer.status === 503;
      if (!isLater) return { status: answer.status, body: text === '' ? undefined : JSON.parse(text) };
    } catch {
      // Cut, refused or too late: the outcome is unknown, and the key makes it safe to ask again.
    }
    await sleep(Math.min(100 * tries, 1_000));
  }
}
