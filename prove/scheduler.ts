// Runs the executions of a run: each published, attempt after attempt, watched by its viewers, and judged once they
// have seen the end and its journal is complete.
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

/** Something to watch. */
export interface Watched {
  readonly id: string;
  readonly kind: ExecutionKind;
  readonly mode: 'TEXT' | 'STRUCTURED';
}

export interface DirectorOptions {
  readonly plan: PlanOptions;
  /** Executions at a time. */
  readonly concurrency: number;
  readonly totals: Totals;
  readonly journals: Journals;
  readonly destructions: readonly Destruction[];
  readonly played: readonly Played[];
  run(plan: ExecutionPlan, attempt: number): Promise<AttemptOutcome>;
  view(watched: Watched, plan: ViewerPlan): Viewer;
  /** Sends somebody who may not read it. */
  intrude(watched: Watched): Intruder;
  /** No new executions. */
  readonly closing: AbortSignal;
  /** Nothing is waited for any more. */
  readonly over: AbortSignal;
  /** Attempts that did not end as they were meant to, for the logs. */
  say(line: string): void;
}

export interface Director {
  /** Resolves when all that was begun has been judged. */
  run(): Promise<void>;
  /** Publishes one thing that is not of the plan, and has it watched and judged as the others are. */
  conduct(watched: Watched, viewers: readonly ViewerPlan[], publish: () => Promise<unknown>): Promise<void>;
  viewers(): Viewer[];
  isOwed(): boolean;
}

interface Show {
  readonly viewers: readonly Viewer[];
  isPublished: boolean;
}

/** An activity's execution ends before the workflow that it is published for: then its viewers know. */
function isOver({ isPublished, viewers }: Show): boolean {
  return isPublished || viewers.some(({ sequence }) => sequence.terminal !== undefined);
}

/** What a journal may lag behind the last acknowledgement. */
const SETTLE_MS = 1_000;

export function createDirector(options: DirectorOptions): Director {
  const { plan, totals, journals, closing, over } = options;
  const shows = new Set<Show>();
  let begun = 0;

  async function conduct(
    watched: Watched,
    viewerPlans: readonly ViewerPlan[],
    publish: () => Promise<unknown>,
  ): Promise<void> {
    const show: Show = {
      viewers: viewerPlans.map((each) => options.view(watched, each)),
      isPublished: false,
    };
    shows.add(show);
    const intruder = options.intrude(watched);
    await publish();
    show.isPublished = true;
    await Promise.all(show.viewers.map(({ done }) => done));
    shows.delete(show);
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

  /** Whatever the end is, it must be the same for all. */
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
      options.say(`${plan.id} (${plan.by}) attempt ${attempt}: ${outcome}${why ? `, ${why}` : ''}`);
      await sleep(random.whole(200, 1_500));
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
    // Not all at once: ends and beginnings are to be spread over the run.
    await sleep(n * 400);
    while (!closing.aborted) {
      const next = planExecution(plan, begun);
      begun += 1;
      await conduct(next, planViewers(next, plan), () => publishPlan(next));
    }
  }

  return {
    run: async () => {
      await Promise.all(Array.from({ length: options.concurrency }, (_, n) => lane(n)));
    },
    conduct,
    viewers: () => [...shows].flatMap(({ viewers }) => viewers.filter(({ isDone }) => !isDone)),
    isOwed: () => [...shows].some((show) => isOver(show) && show.viewers.some(({ isDone }) => !isDone)),
  };
}
