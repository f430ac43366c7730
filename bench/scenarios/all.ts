// All scenarios, in the order in which they run.
import { MANY_EXECUTIONS, MORE_VIEWERS, ONE_EXECUTION } from './delivery.ts';
import { LATENCY } from './latency.ts';
import { IDLE_MEMORY } from './memory.ts';
import { PUBLISHING } from './publishing.ts';
import { REPLAY } from './replay.ts';
import type { Scenario } from './scenario.ts';
import { SLOW_VIEWERS } from './slow.ts';
import { WORKERS } from './workers.ts';

export const SCENARIOS: readonly Scenario[] = [
  ...[ONE_EXECUTION, MANY_EXECUTIONS, IDLE_MEMORY, LATENCY, REPLAY],
  ...[SLOW_VIEWERS, PUBLISHING, MORE_VIEWERS, WORKERS],
];
