// A Redis under Sentinel whose master can be killed: another deployment than the one whose Redis forgets things.
import { askServer, startSentinels, untilReplicated } from '../../test/support/redis-sentinel.ts';

export interface FailoverStage {
  readonly url: string;
  /** Kills the master, and waits until a replica has taken over and has its replicas again. */
  failOver(): Promise<void>;
  stop(): Promise<void>;
}

/** What is acknowledged is on this many replicas. */
export const WAIT_REPLICAS = 1;

export async function startFailoverStage(): Promise<FailoverStage> {
  const sentinels = await startSentinels();
  return {
    url: sentinels.url,
    async failOver() {
      const old = sentinels.master();
      await old.kill();
      const master = await sentinels.failedOver();
      // It begins as a master without data. The Sentinels would make it a replica, in ten seconds or sixty.
      await old.restart();
      await askServer(old.port, (client) => client.replicaof('127.0.0.1', master.port));
      await untilReplicated(master, 2);
    },
    stop: async () => {
      await sentinels[Symbol.asyncDispose]();
    },
  };
}
