// Temporal in a run: its dev server, workers that can be killed, and a client that starts workflows.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { TemporalServer } from '../../scripts/temporal.ts';
import { findPart, TEMPORAL } from '../../scripts/test-services.ts';
import { createTemporalPlugin } from '../../src/worker.ts';
import type { Random } from '../random.ts';
import { startWorkerPool } from '../stage/worker-pool.ts';
import type { TemporalWorkerSettings } from '../worker/messages.ts';
import { TASK_QUEUE, type WorkflowPlan } from './plan.ts';

export interface TemporalStage {
  readonly address: string;
  /** Starts workers; called once the rest of the stage has started. */
  startWorkers(options: TemporalWorkersOptions): Promise<TemporalWorkers>;
  stop(): Promise<void>;
}

export interface TemporalWorkersOptions {
  /** The prefix of the workers' names. */
  readonly name: string;
  readonly count: number;
  readonly folder: string;
  readonly random: Random;
  readonly redisUrl: string;
  readonly databaseUrl: string;
}

export interface TemporalWorkers {
  /** Runs a workflow to its end. Returns its result. */
  run(plan: WorkflowPlan): Promise<unknown>;
  kill(): Promise<number>;
  hold(): Promise<void>;
  release(): void;
  stop(): Promise<void>;
}

/** Starts a dev server; undefined if the Temporal CLI is not installed. */
export async function startTemporalStage(): Promise<TemporalStage | undefined> {
  const binary = findPart(TEMPORAL);
  if (!binary) return undefined;
  const server = await TemporalServer.start({ binary });
  return {
    address: server.address,
    startWorkers: (options) => startTemporalWorkers(server.address, options),
    stop: () => server.stop(),
  };
}

async function startTemporalWorkers(
  address: string,
  { name: prefix, redisUrl, databaseUrl, ...options }: TemporalWorkersOptions,
): Promise<TemporalWorkers> {
  const bundle = join(options.folder, 'workflows.js');
  const { code } = await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('./workflow.ts', import.meta.url)),
    plugins: [createTemporalPlugin({ log: {} as never, store: {} as never })],
    logger: new DefaultLogger('ERROR'),
  });
  writeFileSync(bundle, code);
  const pool = await startWorkerPool({
    ...options,
    sort: `${prefix}temporal-worker`,
    program: 'prove/temporal/worker.ts',
    args: (name, journal) => {
      const workerSettings: TemporalWorkerSettings = {
        ...{ name, journal, redisUrl, databaseUrl, bundle },
        temporalAddress: address,
      };
      return [JSON.stringify(workerSettings)];
    },
    join: (member) => member,
    onMessage: () => {},
    onGone: () => {},
  });
  const connection = await Connection.connect({ address });
  const client = new Client({ connection });
  return {
    run: (plan) =>
      client.workflow.execute('study', { workflowId: plan.id, taskQueue: TASK_QUEUE, args: [plan] }),
    async kill() {
      const members = pool.members();
      if (members.length > 0) await pool.kill(members);
      return members.length;
    },
    hold: pool.hold,
    release: pool.release,
    async stop() {
      await pool.stop();
      await connection.close();
    },
  };
}
