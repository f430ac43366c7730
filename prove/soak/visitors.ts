// Connections that come and go: each watches a random execution for a random time, then another one.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Transport } from '../plan.ts';
import type { Random } from '../random.ts';
import { accessByJwt } from '../viewers/access.ts';
import { openConnection } from '../viewers/connection.ts';
import { createProtocol, type Target } from '../viewers/transports.ts';

export interface VisitorsOptions {
  readonly count: number;
  readonly url: string;
  readonly sharedKey: string;
  readonly random: Random;
  /** The executions that can be watched now. */
  targets(): readonly Target[];
  readonly signal: AbortSignal;
}

export interface Visitors {
  /** Resolves once all have disconnected. */
  readonly done: Promise<unknown>;
  readonly visits: number;
  readonly events: number;
}

const TRANSPORTS: readonly Transport[] = ['rest', 'graphql-get', 'graphql-post'];
const MAX_VISIT_MS = 20_000;

export function startVisitors(options: VisitorsOptions): Visitors {
  const { count, url, sharedKey, signal } = options;
  let visits = 0;
  let events = 0;

  async function visit(random: Random, n: number): Promise<void> {
    const target = options.targets().at(random.integer(0, 1_000_000) % Math.max(1, options.targets().length));
    if (!target) {
      await sleep(200);
      return;
    }
    visits += 1;
    const access = accessByJwt({ url, sharedKey, sub: `visitor-${n}`, jwtSeconds: 60 });
    const { headers } = await access.credentials();
    const request = createProtocol(random.pick(TRANSPORTS), target).request(undefined, {});
    const connection = openConnection({
      ...request,
      headers: { ...request.headers, ...headers },
      onEvent: () => {
        events += 1;
      },
    });
    const leave = (): void => connection.destroy();
    // Many short visits, a few long ones.
    const timer = setTimeout(leave, MAX_VISIT_MS * random.next() ** 3);
    signal.addEventListener('abort', leave);
    await connection.ended;
    clearTimeout(timer);
    signal.removeEventListener('abort', leave);
    await sleep(random.integer(0, 300));
  }

  async function slot(n: number): Promise<void> {
    const random = options.random.fork(`visitor ${n}`);
    await sleep(random.integer(0, 3_000));
    while (!signal.aborted) await visit(random, n);
  }

  const done = Promise.all(Array.from({ length: count }, (_, n) => slot(n)));
  return {
    done,
    get visits() {
      return visits;
    },
    get events() {
      return events;
    },
  };
}
