// One viewer of one execution: reads, comes back with its cursor however a connection ended, and stops at the end.
import { setTimeout as sleep } from 'node:timers/promises';
import { type EventType, isTerminal } from '../../src/event/events.ts';
import type { Sequence } from '../check/seen.ts';
import { createSequence } from '../check/sequence.ts';
import type { ViewerPlan } from '../plan.ts';
import { createRandom } from '../random.ts';
import type { Access } from './access.ts';
import { type Connection, openConnection } from './connection.ts';
import type { Pauses } from './pauses.ts';
import { speak, type Target } from './transports.ts';

export interface ViewerCounts {
  connections: number;
  /** Refusals by what was answered: a status, or a code of GraphQL's. */
  readonly refusals: Map<string, number>;
  /** How often a viewer was answered 401 and came back with another token. */
  renewals: number;
}

export interface ViewerOptions {
  readonly plan: ViewerPlan;
  readonly target: Target;
  readonly mode: 'TEXT' | 'STRUCTURED';
  readonly access: Access;
  readonly pauses: Pauses;
  readonly counts: ViewerCounts;
  readonly signal: AbortSignal;
}

export interface Viewer {
  readonly name: string;
  readonly sequence: Sequence;
  /** Resolves when it has seen the end, or was told that there is none to come, or the run is over. */
  readonly done: Promise<void>;
  readonly isDone: boolean;
  /** Stops reading for a while; false where it has no connection. */
  stall(ms: number): boolean;
  /** Whether its token has expired: it will notice when it comes back. */
  readonly isExpired: boolean;
  /** Breaks its connection. */
  cut(): void;
}

const DEFAULT_RETRY_MS = 300;

/** What a viewer may be answered: nothing, not yet there, too many, away. Others are shown word for word. */
const EXPECTED: ReadonlySet<number> = new Set([0, 404, 429, 503]);

export function createViewer(options: ViewerOptions): Viewer {
  const { plan, target, access, pauses, counts, signal } = options;
  const random = createRandom(plan.seed, 'backoff');
  const sequence = createSequence(target.id, options.mode);
  const speech = speak(plan.transport, target);
  let connection: Connection | undefined;
  let after: string | undefined;
  let isEnded = false;
  let isDone = false;
  const name = `${plan.name} (${plan.transport})`;
  /** Begun since the last event. */
  let connections = 0;
  let taken = 0;
  let leaves = plan.leaves;
  let isLeaving = false;
  /** When the last event came; undefined where the pause since then is of its own doing. */
  let lastAt: number | undefined;

  function take(message: ReturnType<typeof speech.read>): void {
    if (message.is === 'refused') {
      count(message.code);
    } else if (message.is === 'end') {
      // A refusal is a stream that ends too: only one that was let in tells the end.
      if (after !== undefined) {
        sequence.tellEnd();
        isEnded = true;
      }
    } else {
      sequence.take(message.event);
      after = message.id;
      const { at, type } = message.event;
      if (lastAt !== undefined) pauses.arrived(name, lastAt, at, connections);
      lastAt = at;
      connections = 0;
      taken += 1;
      if (isTerminal(type as EventType)) isEnded = true;
      if (leaves && taken >= leaves.afterEvents) {
        isLeaving = true;
        connection?.destroy();
      }
    }
  }

  function count(what: string): void {
    counts.refusals.set(what, (counts.refusals.get(what) ?? 0) + 1);
  }

  async function connectOnce(): Promise<number> {
    const { headers, query } = await access.carry();
    const asked = speech.ask(after, query);
    counts.connections += 1;
    connections += 1;
    let isShut = false;
    connection = openConnection({
      ...asked,
      headers: { ...asked.headers, ...headers },
      // What still comes of a connection that was left is not read: a client that is gone reads nothing.
      onEvent: (event) => {
        if (!isShut) take(speech.read(event));
        isShut ||= isLeaving;
      },
    });
    const { status, end, retryMs = DEFAULT_RETRY_MS, refusal } = await connection.ended;
    connection = undefined;
    if (status === 204) {
      sequence.tellEnd();
      isEnded = true;
    } else if (status === 401) {
      counts.renewals += 1;
      access.refused();
      return 0;
    } else if (EXPECTED.has(status)) count(`${status}`);
    else if (status !== 200) count(`${status} ${plan.name} ${refusal}`);
    return end === 'clean' && status === 200 ? Math.min(retryMs, 2_000) : DEFAULT_RETRY_MS;
  }

  async function watch(): Promise<void> {
    await sleep(plan.joinsAfterMs, undefined, { signal });
    while (!isEnded && !signal.aborted) {
      const waitMs = await connectOnce().catch(() => {
        count('no token');
        return DEFAULT_RETRY_MS;
      });
      if (isEnded) return;
      if (isLeaving && leaves) {
        await sleep(leaves.forMs, undefined, { signal });
        [leaves, isLeaving, lastAt] = [undefined, false, undefined];
      } else {
        await sleep(waitMs * (0.3 + random.next() * 0.7), undefined, { signal });
      }
    }
  }

  const stop = (): void => connection?.destroy();
  signal.addEventListener('abort', stop);
  const done = watch()
    .catch((error) => {
      if (!signal.aborted) throw error;
    })
    .finally(() => {
      isDone = true;
      signal.removeEventListener('abort', stop);
    });

  return {
    name,
    sequence,
    done,
    get isDone() {
      return isDone;
    },
    stall(ms) {
      const stalled = connection;
      if (!stalled) return false;
      stalled.pause();
      setTimeout(() => {
        lastAt = undefined;
        stalled.resume();
      }, ms);
      return true;
    },
    get isExpired() {
      return access.isExpired;
    },
    cut: () => connection?.destroy(),
  };
}
