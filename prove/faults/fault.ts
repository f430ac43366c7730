// Faults, and the parts of a run that they act on.
import type { Destruction } from '../check/judge.ts';
import type { Random } from '../random.ts';
import type { Balancer } from '../stage/balancer.ts';
import type { FailoverStage } from '../stage/failover.ts';
import type { RedisStage } from '../stage/redis.ts';
import type { ServerProcess } from '../stage/server.ts';
import type { Workers } from '../stage/workers.ts';
import type { Viewer } from '../viewers/viewer.ts';

/** Everything that a fault may act on. */
export interface FaultStage {
  readonly random: Random;
  readonly servers: readonly ServerProcess[];
  readonly balancer: Balancer;
  readonly redis: RedisStage;
  /** Absent without a second deployment. */
  readonly failover: FailoverStage | undefined;
  readonly postgres: { kill(): Promise<void>; restart(): Promise<void> };
  readonly workers: Workers;
  /** Absent without Temporal. */
  readonly temporalWorkers: Pick<Workers, 'kill' | 'hold' | 'release'> | undefined;
  /** The viewers that are connected or about to connect. */
  viewers(): readonly Viewer[];
  /** How many times viewers have replaced a rejected token. */
  renewals(): number;
  /** Whether a viewer still reads an execution that has ended. */
  hasEndedReaders(): boolean;
  readonly destructions: Destruction[];
  /** The failovers of the second deployment, in which no acknowledged event may be lost. */
  readonly failovers: Destruction[];
  readonly signal: AbortSignal;
}

export interface Fault {
  readonly kind: string;
  /** Resolves once the system has recovered; true if the fault took effect. */
  play(stage: FaultStage): Promise<boolean>;
}

/** One fault that was injected. Times are in ms since 1970. */
export interface Played {
  readonly kind: string;
  readonly from: number;
  to: number;
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
