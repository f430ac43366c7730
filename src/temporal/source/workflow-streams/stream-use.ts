// Whether a workflow has a Workflow Stream, as far as the watch of its runs has learned.
import type { TemporalError } from '../errors.ts';
import { OFFSET_QUERY } from './wire-format.ts';

export interface StreamUse {
  /** Whether streams may be polled: a poll is an update of the workflow. */
  readonly isPolled: boolean;
  readonly isRegistered: boolean;
  /** Resolves when it is known that the workflow has registered the handlers of a stream. */
  readonly registered: Promise<void>;
  /** Takes in why a query failed: the SDKs list the queries that the workflow handles. */
  recordFailure(error: TemporalError): void;
}

export function createStreamUse(isPolled: boolean): StreamUse {
  let isRegistered = false;
  let register!: () => void;
  const registered = new Promise<void>((resolve) => {
    register = resolve;
  });
  return {
    isPolled,
    registered,
    get isRegistered() {
      return isRegistered;
    },
    recordFailure({ condition, message }) {
      if (condition !== 'no-query' || !message.includes(OFFSET_QUERY)) return;
      isRegistered = true;
      register();
    },
  };
}
