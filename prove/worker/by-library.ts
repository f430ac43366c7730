// An execution published as a worker would: by the publisher of `execstream/worker`.
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

/** How an attempt came out: `again` where another one has to follow. */
export interface Outcome {
  readonly outcome: 'ended' | 'again';
  readonly why?: string;
}

export interface Rig {
  readonly publisher: Publisher;
  readonly journal: JournalWriter;
  readonly gate: Gate;
}

/** Runs one attempt. */
export async function publishByLibrary(plan: ExecutionPlan, attempt: number, rig: Rig): Promise<Outcome> {
  const { id, kind, mode } = plan;
  rig.journal.write({ is: 'begin', id, attempt });
  let run: ExecutionPublisher;
  try {
    run = await rig.publisher.begin({ id, kind, mode, attempt, tenant: TENANT });
  } catch (error) {
    if (isExecstreamError(error, 'ENDED')) return { outcome: 'ended' };
    throw error;
  }
  const givesUpAt = attempt === 1 ? plan.givesUpAt : undefined;
  const said = await say(run, plan, attempt, givesUpAt);
  if (stateOf(run) !== 'open') return over(stateOf(run));
  if (givesUpAt !== undefined) {
    await run.abandon(new Error('this attempt was meant to fail'));
    return { outcome: 'again', why: 'gave up' };
  }
  const leave = await rig.gate.enter();
  try {
    rig.journal.write({ is: 'final', id, attempt, digest: digest(said) });
    const ended = plan.ends === 'fail' ? run.fail(new Error('as planned')) : run.complete();
    if (!(await ended)) while (stateOf(run) === 'ending') await sleep(100);
    if (stateOf(run) !== 'ended') return over(stateOf(run));
    // By another's hand, where it was refused: then what stands there is an attempt's that said it before.
    if (!run.signal.aborted) rig.journal.write({ is: 'end', id, attempt });
    return { outcome: 'ended' };
  } finally {
    leave();
  }
}

/** It changes under our hands, which the compiler does not believe of a property. */
function stateOf(run: ExecutionPublisher): RunState {
  return run.state;
}

function over(state: RunState): Outcome {
  return state === 'ended' ? { outcome: 'ended' } : { outcome: 'again', why: state };
}

/** Says the pieces up to a bound, and answers the text or value that they add up to. */
export async function say(
  run: ExecutionPublisher,
  plan: ExecutionPlan,
  attempt: number,
  upTo = Number.POSITIVE_INFINITY,
): Promise<unknown> {
  let said = 0;
  let text = '';
  let value: unknown = null;
  const goesOn = (): boolean => run.state === 'open' && said++ < upTo;
  if (plan.mode === 'TEXT') {
    for (const piece of textPieces(plan, attempt)) {
      if (!goesOn()) break;
      await run.text(piece);
      text += piece;
      await aside(run, said, plan.paceMs);
    }
    return text;
  }
  for (const state of valueStates(plan, attempt)) {
    if (!goesOn()) break;
    await run.value(state);
    value = state;
    await aside(run, said, plan.paceMs);
  }
  return value;
}

/** What a run says besides, now and then; and the pace. */
async function aside(run: ExecutionPublisher, n: number, paceMs: number): Promise<void> {
  const toolCallId = `t${n}`;
  if (n % 40 === 10) await run.toolCall({ toolCallId, toolName: 'look_up', status: 'started', args: { n } });
  if (n % 60 === 20) await run.status('RUNNING', `step ${n}`);
  await sleep(paceMs);
}
