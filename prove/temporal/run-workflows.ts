// Runs workflows next to the other executions. Each workflow is watched, and so are its agent and its task.
import { setTimeout as sleep } from 'node:timers/promises';
import { digest } from '../check/digest.ts';
import type { JournalWriter } from '../journal/writer.ts';
import { type PlanOptions, planViewers } from '../plan.ts';
import type { Scheduler } from '../scheduler.ts';
import { planWorkflow } from './plan.ts';
import type { TemporalWorkers } from './stage.ts';

export interface RunWorkflowsOptions {
  readonly plan: PlanOptions;
  readonly scheduler: Scheduler;
  readonly temporalWorkers: TemporalWorkers;
  /** Records the results that workflows return to their clients. */
  readonly journal: JournalWriter;
  /** Concurrent workflows. */
  readonly count: number;
  readonly closing: AbortSignal;
  readonly over: AbortSignal;
}

export async function runWorkflows(options: RunWorkflowsOptions): Promise<void> {
  const { plan, scheduler, temporalWorkers, journal, closing, over } = options;
  // Workflows have few events, and their children are many: both get fewer viewers.
  const smallAudience: PlanOptions = { ...plan, viewersEach: Math.max(1, Math.ceil(plan.viewersEach / 4)) };
  let begun = 0;

  async function runWorkflow(): Promise<void> {
    const workflow = planWorkflow(plan, begun);
    begun += 1;
    const { id, children } = workflow;
    journal.write({ is: 'begin', id, attempt: 1 });
    const returned = temporalWorkers.run(workflow).then((result) => {
      journal.write({ is: 'final', id, attempt: 1, digest: digest(result) });
      journal.write({ is: 'end', id, attempt: 1 });
    });
    const isOver = new Promise<void>((resolve) => over.addEventListener('abort', () => resolve()));
    const published = Promise.race([returned, isOver]);
    const pieces = children.reduce((sum, child) => sum + child.pieces, 0);
    const size = { id, pieces, paceMs: children[0]!.paceMs, isHeavy: false };
    await Promise.all([
      scheduler.runExecution(
        { id, kind: 'workflow', mode: 'STRUCTURED' },
        planViewers(size, smallAudience),
        () => published,
      ),
      // A child ends no later than its workflow.
      ...children.map((child) =>
        scheduler.runExecution(child, planViewers(child, smallAudience), () => published),
      ),
    ]);
  }

  async function lane(n: number): Promise<void> {
    await sleep(n * 1_000);
    while (!closing.aborted) await runWorkflow();
  }

  await Promise.all(Array.from({ length: options.count }, (_, n) => lane(n)));
}
