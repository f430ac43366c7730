// The worker: digests the files, pauses, and repeats until it is stopped.
import { setTimeout as sleep } from 'node:timers/promises';
import {
  createPublisher,
  type ExecutionStore,
  type LivenessWriter,
  type Logger,
  type LogWriter,
} from '../../../src/worker.ts';
import type { TextFile } from '../files.ts';
import { type Digested, digest } from './digest.ts';
import type { TemporalDigester, TemporalSettings } from './temporal/digester.ts';

export interface WorkerOptions {
  readonly log: LogWriter & LivenessWriter & { ping(): Promise<void> };
  readonly store: ExecutionStore;
  readonly logger: Logger;
  /** Called in each round, so that changed files are included. */
  readonly findFiles: () => Promise<TextFile[]>;
  readonly pace: number;
  /** If present, digests run as Temporal workflows; otherwise as functions in this process. */
  readonly temporal: TemporalSettings | undefined;
  /** Called when the first agent that writes text has started. */
  onFirstReport(executionId: string): void;
  onRound(round: Round): void;
  /** Called when a round has failed and another one follows. Not called twice in a row for the same error. */
  onFailure(error: unknown): void;
}

/** A completed round. */
export interface Round {
  readonly number: number;
  readonly workflowId: string;
  readonly files: number;
  readonly words: number;
}

export interface Worker {
  /** Cancels running work and ends its streams; resolves once that is done or the timeout is over. */
  stop(): Promise<void>;
}

const REST_MS = 10_000;
/** How long a stopping worker waits for its executions to end. */
const STOP_MS = 2_000;
/** With Temporal, whose activities receive cancellations with their heartbeats. */
const TEMPORAL_STOP_MS = 5_000;

/** Starts the rounds. */
export function startWorker(options: WorkerOptions): Worker {
  const { log, store, logger, findFiles, pace, temporal } = options;
  const publisher = createPublisher({ log, store, logger });
  const stopping = new AbortController();
  const { signal } = stopping;
  const context = { publisher, signal, pace };
  let digester: TemporalDigester | undefined;
  const rounds = work();

  async function work(): Promise<void> {
    let number = 1;
    let hasReported = false;
    let lastFailure = '';
    const onReport = (id: string) => {
      if (!hasReported) options.onFirstReport(id);
      hasReported = true;
    };
    const digestFiles = async (files: readonly TextFile[]): Promise<Digested> => {
      if (!temporal) return digest(context, files, onReport);
      if (digester?.hasStopped()) {
        await digester.close();
        digester = undefined;
      }
      // Imported dynamically, because Temporal's packages are optional.
      const { connectDigester } = await import('./temporal/digester.ts');
      digester ??= await connectDigester({ ...context, temporal, log, store, logger, onReport });
      return digester.digest(files);
    };
    while (!signal.aborted) {
      try {
        await Promise.all([log.ping(), store.ping()]);
        const digested = await digestFiles(await findFiles());
        lastFailure = '';
        options.onRound({ number: number++, ...digested });
      } catch (error) {
        if (signal.aborted) return;
        if (String(error) !== lastFailure) options.onFailure(error);
        lastFailure = String(error);
      }
      await sleep(REST_MS / pace, undefined, { signal }).catch(() => {});
    }
  }

  return {
    async stop() {
      stopping.abort();
      await Promise.race([rounds, sleep(temporal ? TEMPORAL_STOP_MS : STOP_MS)]);
      await digester?.close();
      await publisher.close();
    },
  };
}
