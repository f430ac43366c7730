// Runs the executions of a run. Each is published, attempt after attempt, and watched by its viewers; it is judged
// once they have seen the terminal event and its journal is complete.
import { setTimeout as sleep } from 'node:timers/promises';
import type { ExecutionKind } from '../src/event/events.ts';
import { digest } from './check/digest.ts';
import { type Destruction, judge } from './check/judge.ts';
import type { Played } from './faults/fault.ts';
import type { Journals } from './journal/reader.ts';
import { type ExecutionPlan, type PlanOptions, planExecution, planViewers, type ViewerPlan } from './plan.ts';
import { createRandom } from './random.ts';
import type { AttemptOutcome } from './stage/workers.ts';
import { addFinding, addVerdict, type Totals } from './totals.ts';
import type { Intruder } from './viewers/intruder.ts';
import type { Viewer } from './viewers/viewer.ts';

/** An execution to watch. */
export interface Watched {
  readonly id: string;
  readonly kind: ExecutionKind;
  readonly mode: 'TEXT' | 'STRUCTURED';
}

export interface SchedulerOptions {
  readonly plan: PlanOptions;
  /** Concurrent executions. */
  readonly concurrency: number;
  readonly totals: Totals;
  readonly journals: Journals;
  readonly destructions: readonly Destruction[];
  readonly played: readonly Played[];
  run(plan: ExecutionPlan, attempt: number): Promise<AttemptOutcome>;
  view(watched: Watched, plan: ViewerPlan): Viewer;
  /** Starts a client that is not authorized to read the execution. */
  startIntruder(watched: Watched): Intruder;
  /** Aborted when no further executions may start. */
  readonly closing: AbortSignal;
  /** Aborted when nothing may be waited for any longer. */
  readonly over: AbortSignal;
  /** Logs attempts that did not end as planned. */
  log(line: string): void;
}

export interface Scheduler {
  /** Resolves once all executions that were started have been judged. */
  run(): Promise<void>;
  /** Publishes an execution that is not part of the plan; it is watched and judged like the others. */
  runExecution(
    watched: Watched,
    viewers: readonly ViewerPlan[],
    publish: () => Promise<unknown>,
  ): Promise<void>;
  viewers(): Viewer[];
  hasEndedReaders(): boolean;
}

interface WatchedExecution {
  readonly viewers: readonly Viewer[];
  isPublished: boolean;
}

/** An activity's execution ends before its workflow does; its viewers see the terminal event. */
function isOver({ isPublished, viewers }: WatchedExecution): boolean {
  return isPublished || viewers.some(({ sequence }) => sequence.terminal !== undefined);
}

/** How long the journal may lag after the last acknowledgement. */
const SETTLE_MS = 1_000;

export function createScheduler(options: SchedulerOptions): Scheduler {
  const { plan, totals, journals, closing, over } = options;
  const running = new Set<WatchedExecution>();
  let begun = 0;

  async function runExecution(
    watched: Watched,
    viewerPlans: readonly ViewerPlan[],
    publish: () => Promise<unknown>,
  ): Promise<void> {
    const show: WatchedExecution = {
      viewers: viewerPlans.map((each) => options.view(watched, each)),
      isPublished: false,
    };
    running.add(show);
    const intruder = options.startIntruder(watched);
    await publish();
    show.isPublished = true;
    await Promise.all(show.viewers.map(({ done }) => done));
    running.delete(show);
    for (const detail of await intruder.stop()) {
      const what = 'wronglyRead';
      addFinding(totals, { what, count: 1, detail, viewer: 'an intruder', executionId: watched.id });
    }
    await sleep(SETTLE_MS);
    journals.poll();
    const journal = journals.of(watched.id, watched.kind);
    checkAgreement(watched.id, show.viewers);
    for (const { name, sequence } of show.viewers) {
      const verdict = judge(sequence, journal, options.destructions);
      addVerdict(totals, name, watched.id, verdict, options.played);
    }
    totals.executions += 1;
    journals.forget(watched.id);
  }

  /** The outcome must be the same for all viewers. */
  function checkAgreement(executionId: string, viewers: readonly Viewer[]): void {
    const ends = viewers.flatMap(({ sequence }) =>
      sequence.terminal ? [`${sequence.digest} ${digest(sequence.terminal.data)}`] : [],
    );
    const count = new Set(ends).size - 1;
    if (count <= 0) return;
    const detail = `viewers of ${executionId} read ${count + 1} different ends`;
    addFinding(totals, { what: 'wronglyRead', count, detail, viewer: executionId, executionId });
  }

  async function publishPlan(plan: ExecutionPlan): Promise<void> {
    const random = createRandom(plan.seed, 'retries');
    for (let attempt = 1; !over.aborted; attempt += 1) {
      const { outcome, why } = await untilOver(options.run(plan, attempt));
      if (outcome === 'ended') return;
      options.log(`${plan.id} (${plan.by}) attempt ${attempt}: ${outcome}${why ? `, ${why}` : ''}`);
      await sleep(random.integer(200, 1_500));
    }
  }

  function untilOver(attempt: Promise<AttemptOutcome>): Promise<AttemptOutcome> {
    return new Promise((resolve) => {
      const stop = (): void => resolve({ outcome: 'again', why: 'the run is over' });
      over.addEventListener('abort', stop);
      void attempt.then((outcome) => {
        over.removeEventListener('abort', stop);
        resolve(outcome);
      });
    });
  }

  async function lane(n: number): Promise<void> {
    // Staggered, so that starts and ends are spread over the run.
    await sleep(n * 400);
    while (!closing.aborted) {
      const next = planExecution(plan, begun);
      begun += 1;
      await runExecution(next, planViewers(next, plan), () => publishPlan(next));
    }
  }

  return {
    run: async () => {
      await Promise.all(Array.from({ length: options.concurrency }, (_, n) => lane(n)));
    },
    runExecution,
    viewers: () => [...running].flatMap(({ viewers }) => viewers.filter(({ isDone }) => !isDone)),
    hasEndedReaders: () =>
      [...running].some((show) => isOver(show) && show.viewers.some(({ isDone }) => !isDone)),
  };
}
