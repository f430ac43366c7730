// The worker: digests the files, rests, and begins again, until it is told to stop.
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
  /** Asked in each round, so that what was written meanwhile is seen. */
  readonly findFiles: () => Promise<TextFile[]>;
  readonly pace: number;
  /** Where the digests run as workflows; as functions of this process where absent. */
  readonly temporal: TemporalSettings | undefined;
  /** The first agent that writes text has begun. */
  onFirstReport(executionId: string): void;
  onRound(round: Round): void;
  /** A round could not be, or failed; another one is tried. Not told twice in a row of the same error. */
  onTrouble(error: unknown): void;
}

/** A round that is over. */
export interface Round {
  readonly number: number;
  readonly workflowId: string;
  readonly files: number;
  readonly words: number;
}

export interface Worker {
  /** Cancels what runs, tells its viewers so, and resolves when that is done or has taken too long. */
  stop(): Promise<void>;
}

const REST_MS = 10_000;
/** What a stopping worker waits for the ends of its executions. */
const STOP_MS = 2_000;
/** On Temporal, which hears of it by heartbeats. */
const TEMPORAL_STOP_MS = 5_000;

/** Starts the rounds. */
export function startWorker(options: WorkerOptions): Worker {
  const { log, store, logger, findFiles, pace, temporal } = options;
  const publisher = createPublisher({ log, store, logger });
  const stopping = new AbortController();
  const { signal } = stopping;
  const conditions = { publisher, signal, pace };
  let digester: TemporalDigester | undefined;
  const rounds = work();

  async function work(): Promise<void> {
    let number = 1;
    let hasReported = false;
    let lastTrouble = '';
    const onReport = (id: string) => {
      if (!hasReported) options.onFirstReport(id);
      hasReported = true;
    };
    const digestFiles = async (files: readonly TextFile[]): Promise<Digested> => {
      if (!temporal) return digest(conditions, files, onReport);
      if (digester?.hasStopped()) {
        await digester.close();
        digester = undefined;
      }
      // Loaded here: Temporal's packages are for those who have it.
      const { connectDigester } = await import('./temporal/digester.ts');
      digester ??= await connectDigester({ ...conditions, temporal, log, store, logger, onReport });
      return digester.digest(files);
    };
    while (!signal.aborted) {
      try {
        await Promise.all([log.ping(), store.ping()]);
        const digested = await digestFiles(await findFiles());
        lastTrouble = '';
        options.onRound({ number: number++, ...digested });
      } catch (error) {
        if (signal.aborted) return;
        if (String(error) !== lastTrouble) options.onTrouble(error);
        lastTrouble = String(error);
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
