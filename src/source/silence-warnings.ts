// Warns viewers while the publisher of their execution is silent: each viewer of this process once per silence,
// also a viewer that joins during it.
import type { LivenessReader } from '../coordination/liveness.ts';
import { createBatchPoller } from './batch-poller.ts';
import type { Follow } from './source.ts';

export interface SilenceWarningOptions {
  readonly log: Pick<LivenessReader, 'silenceMs' | 'silencesMs'>;
  readonly silentAfterMs: number;
  readonly checkMs: number;
}

interface Follower {
  readonly executionId: string;
  readonly update: (silenceMs: number | undefined) => void;
}

export function createSilenceWarnings({ log, silentAfterMs, checkMs }: SilenceWarningOptions): Follow {
  const poller = createBatchPoller<Follower>(checkMs, async (followers) => {
    const silences = await log.silencesMs(followers.map(({ executionId }) => executionId));
    followers.forEach(({ update }, i) => {
      update(silences[i]);
    });
  });

  return (executionId, audience) => {
    let isStopped = false;
    let isSilent = false;
    const update = (silenceMs: number | undefined) => {
      const wasSilent = isSilent;
      isSilent = silenceMs !== undefined && silenceMs > silentAfterMs;
      if (isStopped || isSilent === wasSilent) return;
      const message = silenceMessage(silenceMs ?? 0);
      audience.setActiveWarning(isSilent ? { code: 'PUBLISHER_SILENT', message } : undefined);
    };
    const remove = poller.add({ executionId, update });
    // If this check fails, the poller's does it. The tail warns viewers that the log is unavailable.
    log.silenceMs(executionId).then(update, () => {});
    return () => {
      isStopped = true;
      remove();
    };
  };
}

/** Describes a silence in warnings and errors. */
export function silenceMessage(silenceMs: number): string {
  return `the publisher has sent no heartbeat for ${Math.floor(silenceMs / 1_000)} s`;
}
