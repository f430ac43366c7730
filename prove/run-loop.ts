// Runs the executions and viewers of one deployment until every execution has been judged.
import { join } from 'node:path';
import { createJournalWriter } from './journal/writer.ts';
import { createScheduler, type SchedulerOptions } from './scheduler.ts';
import type { Deployment } from './stage/deployment.ts';
import { runWorkflows } from './temporal/run-workflows.ts';
import { type AudienceOptions, createAudience } from './viewers/audience.ts';
import type { Viewer } from './viewers/viewer.ts';

export interface RunLoopOptions
  extends Omit<SchedulerOptions, 'run' | 'view' | 'startIntruder'>,
    Omit<AudienceOptions, 'url' | 'signal'> {
  readonly deployment: Deployment;
  /** Concurrent workflows, if Temporal is available. */
  readonly workflows: number;
  /** The folder of the journals. */
  readonly folder: string;
}

export interface RunLoop {
  /** Resolves once no execution starts any more and all have been judged. */
  readonly done: Promise<unknown>;
  /** The viewers that are connected or about to connect. */
  viewers(): readonly Viewer[];
  /** Whether a viewer still reads an execution that has ended. */
  hasEndedReaders(): boolean;
}

export function startRunLoop(options: RunLoopOptions): RunLoop {
  const { deployment, plan, closing, over, folder, workflows } = options;
  const { balancer, workers, temporalWorkers } = deployment;
  const audience = createAudience({ ...options, url: balancer.url, signal: over });
  const scheduler = createScheduler({ ...options, run: workers.run, ...audience });

  async function watchWorkflows(): Promise<void> {
    if (!temporalWorkers || workflows === 0) return;
    const journal = createJournalWriter(join(folder, 'journals', 'workflows.jsonl'));
    await runWorkflows({ plan, scheduler, temporalWorkers, journal, count: workflows, closing, over });
    journal.close();
  }

  const { viewers, hasEndedReaders } = scheduler;
  return { done: Promise.all([scheduler.run(), watchWorkflows()]), viewers, hasEndedReaders };
}
