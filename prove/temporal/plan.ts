// What a workflow of the proof does: drawn from the seed, and its argument as it is.

import type { ExecutionPlan, PlanOptions } from '../plan.ts';
import { createRandom } from '../random.ts';

export interface WorkflowPlan {
  readonly id: string;
  /** Tool calls before each child. */
  readonly steps: number;
  readonly children: readonly ExecutionPlan[];
}

export const TASK_QUEUE = 'prove';

/** The n-th workflow of a run. */
export function planWorkflow(
  { seed, prefix, pieces: [least, most], paceMs }: PlanOptions,
  n: number,
): WorkflowPlan {
  const random = createRandom(seed, 'workflow', n);
  const id = `${prefix}-workflow-${n}`;
  const child = (kind: 'agent' | 'task'): ExecutionPlan => ({
    id: `${id}-${kind}`,
    kind,
    mode: kind === 'agent' ? 'TEXT' : 'STRUCTURED',
    by: 'temporal',
    seed: `${seed}/workflow/${n}/${kind}`,
    pieces: random.whole(Math.ceil(least / 2), Math.ceil(most / 2)),
    isHeavy: false,
    paceMs: random.whole(...paceMs),
    givesUpAt: random.chance(0.15) ? random.whole(1, least) : undefined,
    ends: 'complete',
  });
  return { id, steps: random.whole(1, 10), children: [child('task'), child('agent')] };
}
