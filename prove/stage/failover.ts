// A Redis under Sentinel whose master can be killed. It has its own deployment, because the other Redis loses data.
import { askServer, startSentinels, untilReplicated } from '../../test/support/redis-sentinel.ts';

export interface FailoverStage {
  readonly url: string;
  /** Kills the master, and waits until a replica has been promoted and has replicas again. */
  failOver(): Promise<void>;
  stop(): Promise<void>;
}

/** Acknowledged events are on this number of replicas. */
export const WAIT_REPLICAS = 1;

export async function startFailoverStage(): Promise<FailoverStage> {
  const sentinels = await startSentinels();
  return {
    url: sentinels.url,
    async failOver() {
      const old = sentinels.master();
      await old.kill();
      const master = await sentinels.failedOver();
      // It restarts as an empty master; the Sentinels would make it a replica only after ten to sixty seconds.
      await old.restart();
      await askServer(old.port, (client) => client.replicaof('127.0.0.1', master.port));
      await untilReplicated(master, 2);
    },
    stop: async () => {
      await sentinels[Symbol.asyncDispose]();
    },
  };
}
