// The plan of one workflow of the proof, drawn from the seed and passed as its argument.

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
  { seed, prefix, pieces: [min, max], paceMs }: PlanOptions,
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
    pieces: random.integer(Math.ceil(min / 2), Math.ceil(max / 2)),
    isHeavy: false,
    paceMs: random.integer(...paceMs),
    givesUpAt: random.chance(0.15) ? random.integer(1, min) : undefined,
    ends: 'complete',
  });
  return { id, steps: random.integer(1, 10), children: [child('task'), child('agent')] };
}
