// One viewer of one execution: reads, reconnects with its cursor however a connection ended, and stops at the end.
import { setTimeout as sleep } from 'node:timers/promises';
import { type EventType, isTerminal } from '../../src/event/events.ts';
import type { Sequence } from '../check/seen.ts';
import { createSequence } from '../check/sequence.ts';
import type { ViewerPlan } from '../plan.ts';
import { createRandom } from '../random.ts';
import type { Access } from './access.ts';
import { type Connection, openConnection } from './connection.ts';
import type { Pauses } from './pauses.ts';
import { createProtocol, type Target } from './transports.ts';

export interface ViewerCounts {
  connections: number;
  /** Rejections by HTTP status, or by GraphQL error code. */
  readonly rejections: Map<string, number>;
  /** How many times a viewer received a 401 and reconnected with another token. */
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
  /**
   * Resolves once it has received the terminal event, or the server has reported that none will follow, or the run
   * is over.
   */
  readonly done: Promise<void>;
  readonly isDone: boolean;
  /** Stops reading for a while; false without a connection. */
  stall(ms: number): boolean;
  /** Whether its token has expired; it is rejected at the next reconnect. */
  readonly isExpired: boolean;
  /** Breaks its connection. */
  cut(): void;
}

const DEFAULT_RETRY_MS = 300;

/**
 * Expected results: no response, not created yet, over a limit, unavailable. Others are reported with their body.
 */
const EXPECTED: ReadonlySet<number> = new Set([0, 404, 429, 503]);

export function createViewer(options: ViewerOptions): Viewer {
  const { plan, target, access, pauses, counts, signal } = options;
  const random = createRandom(plan.seed, 'backoff');
  const sequence = createSequence(target.id, options.mode);
  const protocol = createProtocol(plan.transport, target);
  let connection: Connection | undefined;
  let after: string | undefined;
  let isEnded = false;
  let isDone = false;
  const name = `${plan.name} (${plan.transport})`;
  /** Connections since the last event. */
  let connections = 0;
  let taken = 0;
  let leaves = plan.leaves;
  let isLeaving = false;
  /** When the last event arrived; undefined if the viewer itself caused the pause since then. */
  let lastAt: number | undefined;

  function take(message: ReturnType<typeof protocol.read>): void {
    if (message.is === 'rejected') {
      count(message.code);
    } else if (message.is === 'end') {
      // A rejection also ends its stream: only the end of an accepted stream is the end of the execution.
      if (after !== undefined) {
        sequence.reportEnd();
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

  function count(reason: string): void {
    counts.rejections.set(reason, (counts.rejections.get(reason) ?? 0) + 1);
  }

  async function connectOnce(): Promise<number> {
    const { headers, query } = await access.credentials();
    const request = protocol.request(after, query);
    counts.connections += 1;
    connections += 1;
    let isShut = false;
    connection = openConnection({
      ...request,
      headers: { ...request.headers, ...headers },
      // A viewer that has disconnected ignores what still arrives.
      onEvent: (event) => {
        if (!isShut) take(protocol.read(event));
        isShut ||= isLeaving;
      },
    });
    const { status, end, retryMs = DEFAULT_RETRY_MS, rejection } = await connection.ended;
    connection = undefined;
    if (status === 204) {
      sequence.reportEnd();
      isEnded = true;
    } else if (status === 401) {
      counts.renewals += 1;
      access.invalidate();
      return 0;
    } else if (EXPECTED.has(status)) count(`${status}`);
    else if (status !== 200) count(`${status} ${plan.name} ${rejection}`);
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
