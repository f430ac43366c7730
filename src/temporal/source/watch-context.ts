// What the parts of one watch share: the workflow, its log, its audience, and the warnings that are active.
import type { BackoffPolicy } from '../../async/backoff.ts';
import type { SizeLimits } from '../../event/size-limits.ts';
import type { ExecutionStore } from '../../execution/store.ts';
import type { LogReader } from '../../log/log.ts';
import type { Audience } from '../../source/source.ts';
import type { PayloadDecoder } from '../shared/payloads.ts';
import type { BeginChildren } from './child-rows.ts';
import {
  isTemporalError,
  type TemporalCall,
  type TemporalCondition,
  type TemporalError,
  toWarning,
} from './errors.ts';
import type { FixedCopy } from './fixed-copy.ts';
import type { Resolution } from './resolve.ts';
import type { TemporalClient } from './temporal-client.ts';
import type { StreamUse } from './workflow-streams/stream-use.ts';

/** Intervals and timeouts in ms. */
export interface WatchTimes {
  /**
   * How often a workflow without signs of change is queried anyway.
   * @default 15000
   */
  readonly slowPollMs: number;
  /**
   * How long a workflow task may be scheduled before a query checks whether there is a worker.
   * @default 2000
   */
  readonly taskStallMs: number;
  /**
   * How often a workflow that does not use execstream is described while activities of it are in flight; 0 turns that off.
   * @default 5000
   */
  readonly activitiesMs: number;
  /**
   * How long the history of a workflow is held back at its first view, so that the query can respond before it.
   * @default 250
   */
  readonly queryGraceMs: number;
  /**
   * How long to wait for the response of a run that closed, for the events before its end.
   * @default 15000
   */
  readonly finalQueryTimeoutMs: number;
  /**
   * Between failed calls.
   * @default 400 to 5000
   */
  readonly retryMs: BackoffPolicy;
}

export const DEFAULT_WATCH_TIMES: WatchTimes = {
  slowPollMs: 15_000,
  taskStallMs: 2_000,
  activitiesMs: 5_000,
  queryGraceMs: 250,
  finalQueryTimeoutMs: 15_000,
  retryMs: { firstMs: 400, maxMs: 5_000 },
};

export interface WatchContext {
  readonly temporal: TemporalClient;
  readonly log: Pick<LogReader, 'head' | 'listen' | 'read'>;
  readonly store: ExecutionStore;
  readonly executionId: string;
  readonly copy: FixedCopy;
  readonly audience: Audience;
  readonly warnings: ActiveWarnings;
  readonly times: WatchTimes;
  /** Limits of the events. */
  readonly sizes: SizeLimits;
  readonly beginChildren: BeginChildren;
  /** Names the workflows that a run starts. */
  readonly idsFrom: Resolution['idsFrom'];
  /**
   * Whether the log of a workflow that has ended is restored.
   * @default false
   */
  readonly restores?: boolean;
  /** Decodes payloads of workflows that do not use execstream, heartbeats included; undefined shows none. */
  readonly decodePayload: PayloadDecoder | undefined;
  readonly streamUse: StreamUse;
  /** Aborts when the lease is lost or the last viewer leaves. */
  readonly signal: AbortSignal;
}

/**
 * Why a watch stopped.
 * - `ended`: the execution has ended
 * - `superseded`: the log belongs to a run that started later
 * - `streams`: the log that was copied from a history has events of the workflow itself by now: start over, by the query
 * - `published`: the log belongs to a publisher
 * - `fenced`: another watcher took over
 * - `interrupted`: the signal aborted, or the watch must start over
 */
export type WatchOutcome = 'ended' | 'superseded' | 'streams' | 'published' | 'fenced' | 'interrupted';

/** What may fail for a while: calls to Temporal, and requests to the codec server. */
export type WarnedCall = TemporalCall | 'decode';

/** Active warnings: shown to viewers until the condition clears. None of them ends a stream. */
export interface ActiveWarnings {
  /** A call failed. Activates its warning, but not at a first failure that the next try may recover from. */
  add(call: WarnedCall, error: unknown): void;
  /** The call succeeded. Deactivates the warning once no call is failing. */
  clear(call: WarnedCall): void;
  clearAll(): void;
  /** The active warning for the lease note: servers that stand by show it to their viewers too. */
  readonly note: string | undefined;
  /** Shows the warning of the watcher on another server. */
  adopt(note: string | undefined): void;
}

type Warning = { readonly code: string; readonly message: string };

/** Conditions that a next try often recovers from, and that are reported within ms; the others waited for a deadline. */
const QUICK: ReadonlySet<TemporalCondition> = new Set([
  'unavailable',
  'rate-limited',
  'query-failed',
  'undecodable',
  'not-ready',
]);

/** @param onWarning receives each warning once until it clears, with what Temporal reported. */
export function createActiveWarnings(
  audience: Audience,
  onWarning: (code: string, error: TemporalError) => void = () => {},
): ActiveWarnings {
  const failures = new Map<WarnedCall, number>();
  const reportedCodes = new Set<string>();
  let active: Warning | undefined;

  function activate(warning: Warning | undefined): void {
    if (active?.code === warning?.code) return;
    active = warning;
    if (!warning) reportedCodes.clear();
    audience.setActiveWarning(warning);
  }

  return {
    add(call, error) {
      // The queries of others are no reason for a warning: ours follows them.
      if (isTemporalError(error, 'busy')) return;
      const count = (failures.get(call) ?? 0) + 1;
      failures.set(call, count);
      if (!isTemporalError(error) || (count === 1 && QUICK.has(error.condition))) return;
      const warning = toWarning(error);
      activate(warning);
      if (reportedCodes.has(warning.code)) return;
      reportedCodes.add(warning.code);
      onWarning(warning.code, error);
    },
    clear(call) {
      failures.delete(call);
      if (failures.size === 0) activate(undefined);
    },
    clearAll() {
      failures.clear();
      activate(undefined);
    },
    get note() {
      return active && JSON.stringify(active);
    },
    adopt(note) {
      failures.clear();
      activate(note === undefined ? undefined : (JSON.parse(note) as Warning));
    },
  };
}
