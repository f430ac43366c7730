// Workflows beside the other executions: each is watched, and so are the agent and the task that it runs.
import { setTimeout as sleep } from 'node:timers/promises';
import { digest } from '../check/digest.ts';
import type { JournalWriter } from '../journal/writer.ts';
import { type PlanOptions, planViewers } from '../plan.ts';
import type { Director } from '../scheduler.ts';
import { planWorkflow } from './plan.ts';
import type { TemporalWorkers } from './stage.ts';

export interface PlayOptions {
  readonly plan: PlanOptions;
  readonly director: Director;
  readonly temporalWorkers: TemporalWorkers;
  /** Takes down what each workflow returned to its client. */
  readonly journal: JournalWriter;
  /** Workflows at a time. */
  readonly count: number;
  readonly closing: AbortSignal;
  readonly over: AbortSignal;
}

export async function playWorkflows(options: PlayOptions): Promise<void> {
  const { plan, director, temporalWorkers, journal, closing, over } = options;
  // They have few events; their children are many and need no crowd either.
  const few: PlanOptions = { ...plan, viewersEach: Math.max(1, Math.ceil(plan.viewersEach / 4)) };
  let begun = 0;

  async function play(): Promise<void> {
    const wanted = planWorkflow(plan, begun);
    begun += 1;
    const { id, children } = wanted;
    journal.write({ is: 'begin', id, attempt: 1 });
    const returned = temporalWorkers.run(wanted).then((result) => {
      journal.write({ is: 'final', id, attempt: 1, digest: digest(result) });
      journal.write({ is: 'end', id, attempt: 1 });
    });
    const isOver = new Promise<void>((resolve) => over.addEventListener('abort', () => resolve()));
    const published = Promise.race([returned, isOver]);
    const pieces = children.reduce((sum, child) => sum + child.pieces, 0);
    const whole = { id, pieces, paceMs: children[0]!.paceMs, isHeavy: false };
    await Promise.all([
      director.conduct(
        { id, kind: 'workflow', mode: 'STRUCTURED' },
        planViewers(whole, few),
        () => published,
      ),
      // A child has ended when its workflow has, at the latest.
      ...children.map((child) => director.conduct(child, planViewers(child, few), () => published)),
    ]);
  }

  async function lane(n: number): Promise<void> {
    await sleep(n * 1_000);
    while (!closing.aborted) await play();
  }

  await Promise.all(Array.from({ length: options.count }, (_, n) => lane(n)));
}
