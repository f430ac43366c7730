// What the parts of one watch share: the workflow, its log, its audience, and who says what is wrong.

import type { BackoffPolicy } from '../../async/backoff.ts';
import type { ExecutionStore } from '../../execution/store.ts';
import type { EventLog } from '../../log/log.ts';
import type { Audience } from '../../source/source.ts';
import type { PayloadDecoder } from '../shared/payloads.ts';
import { isTemporalError, warningOf } from './errors.ts';
import type { FixedCopy } from './fixed-copy.ts';
import type { TemporalClient } from './temporal-client.ts';

export interface WatchTimes {
  /** How often a workflow that shows no sign of change is asked all the same. */
  readonly slowPollMs: number;
  /** How long a workflow task may stand before it is looked whether there is a worker. */
  readonly taskStallMs: number;
  /** How often the retries of activities are looked at, of workflows that know nothing of us. */
  readonly retriesMs: number;
  /** How long a run that closed may take to say what came before its end. */
  readonly finalQueryTimeoutMs: number;
  readonly retryMs: BackoffPolicy;
}

export const DEFAULT_WATCH_TIMES: WatchTimes = {
  slowPollMs: 15_000,
  taskStallMs: 2_000,
  retriesMs: 5_000,
  finalQueryTimeoutMs: 15_000,
  retryMs: { firstMs: 400, maxMs: 5_000 },
};

export interface WatchContext {
  readonly temporal: TemporalClient;
  readonly log: EventLog;
  readonly store: ExecutionStore;
  readonly executionId: string;
  readonly copy: FixedCopy;
  readonly audience: Audience;
  readonly warnings: ActiveWarnings;
  readonly times: WatchTimes;
  /** Shows payloads of workflows that know nothing of us. */
  readonly decodePayload: PayloadDecoder | undefined;
  /** Ends with the lease or the last viewer. */
  readonly signal: AbortSignal;
}

/** What keeps a watch from going on as it is. */
export type WatchOutcome = 'later' | 'ended' | 'published' | 'fenced' | 'left';

/** What is wrong for now: told to the viewers for as long as it lasts. None of it ends a stream. */
export interface ActiveWarnings {
  /** A call failed; tells it, but not one that the next try may find over. */
  add(call: 'query' | 'read', error: unknown): void;
  /** The call went through. */
  over(call: 'query' | 'read'): void;
  clear(): void;
  /** What stands, for the servers that stand by; their viewers are told of it too. */
  readonly note: string | undefined;
  /** What the watcher on another server says. */
  hear(note: string | undefined): void;
}

type Warning = { readonly code: string; readonly message: string };

export function createActiveWarnings(audience: Audience): ActiveWarnings {
  const failing = new Map<string, { count: number; code?: string }>();
  let standing: Warning | undefined;

  function stand(warning: Warning | undefined): void {
    if (standing?.code === warning?.code) return;
    standing = warning;
    audience.setActiveWarning(warning);
  }

  return {
    add(call, error) {
      const known = failing.get(call) ?? { count: 0 };
      known.count += 1;
      failing.set(call, known);
      if (!isTemporalError(error)) return;
      // A refused connection fails within ms; what waited out a deadline has lasted long enough.
      const isShort = error.condition === 'away' || error.condition === 'query-failed';
      if (known.count === 1 && isShort) return;
      stand(warningOf(error));
    },
    over(call) {
      failing.delete(call);
      if (failing.size === 0) stand(undefined);
    },
    clear() {
      failing.clear();
      stand(undefined);
    },
    get note() {
      return standing && JSON.stringify(standing);
    },
    hear(note) {
      failing.clear();
      stand(note === undefined ? undefined : (JSON.parse(note) as Warning));
    },
  };
}
