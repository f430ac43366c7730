// Notes when a server learns of the end of each workflow, to separate Temporal's part of the delay of an end from ours.
import { parseCloseEvent } from '../../src/temporal/shared/close-event.ts';
import type { TemporalClient } from '../../src/temporal/source/temporal-client.ts';

/** Times are in ms since 1970. */
export interface EndTimes {
  /** When Temporal's response with the close event arrived. */
  readonly knownAt: number | undefined;
  /** When the last query was sent, and its response arrived. */
  readonly queriedAt: number | undefined;
  readonly respondedAt: number | undefined;
}

export interface EndObserver {
  readonly client: TemporalClient;
  timesOf(workflowId: string): EndTimes;
}

/** Observes the calls of a client. */
export function observeEnds(client: TemporalClient): EndObserver {
  const known = new Map<string, number>();
  const queried = new Map<string, number>();
  const responded = new Map<string, number>();
  return {
    client: {
      ...client,
      async history(request, signal) {
        const page = await client.history(request, signal);
        const { workflowId } = request.run;
        if (page.events.some(parseCloseEvent) && !known.has(workflowId)) known.set(workflowId, Date.now());
        return page;
      },
      async query(run, since, signal, options) {
        const onSent = (): void => {
          queried.set(run.workflowId, Date.now());
          options?.onSent?.();
        };
        const result = await client.query(run, since, signal, { ...options, onSent });
        responded.set(run.workflowId, Date.now());
        return result;
      },
    },
    timesOf: (workflowId) => ({
      knownAt: known.get(workflowId),
      queriedAt: queried.get(workflowId),
      respondedAt: responded.get(workflowId),
    }),
  };
}
