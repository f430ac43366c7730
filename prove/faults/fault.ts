// What a fault is, and the stage on which it is played.
import type { Destruction } from '../check/judge.ts';
import type { Random } from '../random.ts';
import type { Balancer } from '../stage/balancer.ts';
import type { FailoverStage } from '../stage/failover.ts';
import type { RedisStage } from '../stage/redis.ts';
import type { ServerProcess } from '../stage/server.ts';
import type { Workers } from '../stage/workers.ts';
import type { Viewer } from '../viewers/viewer.ts';

/** All that a fault may lay hands on. */
export interface FaultStage {
  readonly random: Random;
  readonly servers: readonly ServerProcess[];
  readonly balancer: Balancer;
  readonly redis: RedisStage;
  /** Absent where there is no second deployment. */
  readonly failover: FailoverStage | undefined;
  readonly postgres: { kill(): Promise<void>; restart(): Promise<void> };
  readonly workers: Workers;
  /** Absent where there is no Temporal. */
  readonly temporalWorkers: Pick<Workers, 'kill' | 'hold' | 'release'> | undefined;
  /** Those that watch now. */
  viewers(): readonly Viewer[];
  /** How often viewers came back with a token in place of one that was refused. */
  renewals(): number;
  /** Whether somebody still reads of an execution that has ended. */
  isOwed(): boolean;
  readonly destructions: Destruction[];
  /** The same of the second deployment, where nothing that was acknowledged may go. */
  readonly failovers: Destruction[];
  readonly signal: AbortSignal;
}

export interface Fault {
  readonly kind: string;
  /** Resolves when all is well again; true where it really happened. */
  play(stage: FaultStage): Promise<boolean>;
}

/** One fault that was played. Times are in ms since 1970. */
export interface Played {
  readonly kind: string;
  readonly from: number;
  to: number;
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
