// The activity of the proof's workflows: publishes one child execution and writes its journal.
import { Context } from '@temporalio/activity';
import { type Publisher, publishActivity } from '../../src/worker.ts';
import { digest } from '../check/digest.ts';
import type { JournalWriter } from '../journal/writer.ts';
import { type ExecutionPlan, TENANT } from '../plan.ts';
import { publishContents } from '../worker/by-library.ts';
import type { Gate } from '../worker/gate.ts';

export type Activities = ReturnType<typeof createActivities>;

interface WorkerContext {
  readonly publisher: Publisher;
  readonly journal: JournalWriter;
  readonly gate: Gate;
}

export function createActivities({ publisher, journal, gate }: WorkerContext) {
  return {
    /** @returns the number of pieces in its plan. */
    async publish(plan: ExecutionPlan): Promise<number> {
      const { id, kind, mode } = plan;
      const { attempt } = Context.current().info;
      const givesUpAt = attempt === 1 ? plan.givesUpAt : undefined;
      let leave: (() => void) | undefined;
      journal.write({ is: 'begin', id, attempt });
      try {
        await publishActivity(publisher, { id, kind, mode, tenant: TENANT }, async (run) => {
          const published = await publishContents(run, plan, attempt, givesUpAt);
          if (givesUpAt !== undefined) throw new Error('this attempt was meant to fail');
          if (run.signal.aborted) throw run.signal.reason;
          leave = await gate.enter();
          journal.write({ is: 'final', id, attempt, digest: digest(published) });
        });
      } finally {
        leave?.();
      }
      return plan.pieces;
    },
  };
}
