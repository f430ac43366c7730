// Publishes an execution with the publisher of `execstream/worker`.
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type ExecutionPublisher,
  isExecstreamError,
  type Publisher,
  type RunState,
} from '../../src/worker.ts';
import { digest } from '../check/digest.ts';
import type { JournalWriter } from '../journal/writer.ts';
import { type ExecutionPlan, TENANT } from '../plan.ts';
import { textPieces, valueStates } from './contents.ts';
import type { Gate } from './gate.ts';

/** The outcome of an attempt; `again` requires another attempt. */
export interface Outcome {
  readonly outcome: 'ended' | 'again';
  readonly why?: string;
}

export interface WorkerContext {
  readonly publisher: Publisher;
  readonly journal: JournalWriter;
  readonly gate: Gate;
}

/** Runs one attempt. */
export async function publishByLibrary(
  plan: ExecutionPlan,
  attempt: number,
  context: WorkerContext,
): Promise<Outcome> {
  const { id, kind, mode } = plan;
  context.journal.write({ is: 'begin', id, attempt });
  let run: ExecutionPublisher;
  try {
    run = await context.publisher.begin({ id, kind, mode, attempt, tenant: TENANT });
  } catch (error) {
    if (isExecstreamError(error, 'ENDED')) return { outcome: 'ended' };
    throw error;
  }
  const givesUpAt = attempt === 1 ? plan.givesUpAt : undefined;
  const contents = await publishContents(run, plan, attempt, givesUpAt);
  if (stateOf(run) !== 'open') return outcomeOf(stateOf(run));
  if (givesUpAt !== undefined) {
    await run.abandon(new Error('this attempt was meant to fail'));
    return { outcome: 'again', why: 'gave up' };
  }
  const leave = await context.gate.enter();
  try {
    context.journal.write({ is: 'final', id, attempt, digest: digest(contents) });
    const ended = plan.ends === 'fail' ? run.fail(new Error('as planned')) : run.complete();
    if (!(await ended)) while (stateOf(run) === 'ending') await sleep(100);
    if (stateOf(run) !== 'ended') return outcomeOf(stateOf(run));
    // If the terminal event was rejected, another attempt recorded it, and has written its own journal.
    if (!run.signal.aborted) context.journal.write({ is: 'end', id, attempt });
    return { outcome: 'ended' };
  } finally {
    leave();
  }
}

/** The state changes between reads, which the compiler does not assume of a property. */
function stateOf(run: ExecutionPublisher): RunState {
  return run.state;
}

function outcomeOf(state: RunState): Outcome {
  return state === 'ended' ? { outcome: 'ended' } : { outcome: 'again', why: state };
}

/** Publishes up to `upTo` pieces. Returns the text or value that they add up to. */
export async function publishContents(
  run: ExecutionPublisher,
  plan: ExecutionPlan,
  attempt: number,
  upTo = Number.POSITIVE_INFINITY,
): Promise<unknown> {
  let count = 0;
  let text = '';
  let value: unknown = null;
  const mayContinue = (): boolean => run.state === 'open' && count++ < upTo;
  if (plan.mode === 'TEXT') {
    for (const piece of textPieces(plan, attempt)) {
      if (!mayContinue()) break;
      await run.text(piece);
      text += piece;
      await pace(run, count, plan.paceMs);
    }
    return text;
  }
  for (const state of valueStates(plan, attempt)) {
    if (!mayContinue()) break;
    await run.value(state);
    value = state;
    await pace(run, count, plan.paceMs);
  }
  return value;
}

/** Adds other events now and then, and waits for `paceMs`. */
async function pace(run: ExecutionPublisher, n: number, paceMs: number): Promise<void> {
  const toolCallId = `t${n}`;
  if (n % 40 === 10) await run.toolCall({ toolCallId, toolName: 'look_up', status: 'started', args: { n } });
  if (n % 60 === 20) await run.status('RUNNING', `step ${n}`);
  await sleep(paceMs);
}
