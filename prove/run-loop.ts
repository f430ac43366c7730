// One deployment with its executions and their audience, until all that was begun has been judged.
import { join } from 'node:path';
import { createJournalWriter } from './journal/writer.ts';
import { createDirector, type DirectorOptions } from './scheduler.ts';
import type { Deployment } from './stage/deployment.ts';
import { playWorkflows } from './temporal/run-workflows.ts';
import { type AudienceOptions, createAudience } from './viewers/audience.ts';
import type { Viewer } from './viewers/viewer.ts';

export interface TheatreOptions
  extends Omit<DirectorOptions, 'run' | 'view' | 'intrude'>,
    Omit<AudienceOptions, 'url' | 'signal'> {
  readonly deployment: Deployment;
  /** Workflows at a time, where there is Temporal. */
  readonly workflows: number;
  /** Where journals go. */
  readonly folder: string;
}

export interface Theatre {
  /** Resolves when nothing new is begun and all that was is judged. */
  readonly done: Promise<unknown>;
  /** Those that watch now. */
  viewers(): readonly Viewer[];
  /** Whether somebody still reads of an execution that has ended. */
  isOwed(): boolean;
}

export function startTheatre(options: TheatreOptions): Theatre {
  const { deployment, plan, closing, over, folder, workflows } = options;
  const { balancer, workers, temporalWorkers } = deployment;
  const audience = createAudience({ ...options, url: balancer.url, signal: over });
  const director = createDirector({ ...options, run: workers.run, ...audience });

  async function runWorkflows(): Promise<void> {
    if (!temporalWorkers || workflows === 0) return;
    const journal = createJournalWriter(join(folder, 'journals', 'workflows.jsonl'));
    await playWorkflows({ plan, director, temporalWorkers, journal, count: workflows, closing, over });
    journal.close();
  }

  const { viewers, isOwed } = director;
  return { done: Promise.all([director.run(), runWorkflows()]), viewers, isOwed };
}
