// An attack: what one caller prepares, and then does for as long as it may.
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Claims } from '../viewers/jwt.ts';
import { type Answer, type Caller, type CallOptions, createCaller } from './caller.ts';
import type { AttackerSettings } from './messages.ts';

/** The attacker's tenant. */
export const TENANT = 'attacker';

export interface Arms {
  readonly url: string;
  /** The attacker, who reads and publishes. */
  readonly attacker: Caller;
  /** Another caller of the attacker's tenant. */
  caller(claims: Omit<Claims, 'tenant'>): Caller;
  /** Rows that exist already, written as another program would write them. */
  sql(text: string): Promise<void>;
  /** Whether the time is up. */
  isOver(): boolean;
  /** Runs `act` again and again in so many lanes, until the time is up. */
  lanes(count: number, act: (n: number) => Promise<unknown>): Promise<void>;
  count(how: string): void;
  /** Begins an execution. @throws Error where it is refused. */
  begin(id: string, options?: object): Promise<Publication>;
}

/** An execution that the attacker publishes. */
export interface Publication {
  readonly path: string;
  /** Sends a batch. */
  post(events: readonly object[], options?: CallOptions): Promise<Answer>;
  /** Sends a batch of patches, one an event. */
  patch(patches: readonly (readonly object[])[]): Promise<Answer>;
}

export interface Attack {
  /** The number of a group of attacks, and a letter. */
  readonly id: string;
  readonly title: string;
  /** What has to be there before; not measured. */
  prepare?(arms: Arms): Promise<void>;
  run(arms: Arms): Promise<void>;
  /** Runs after the attack, once its connections are closed; answers what is wrong, one sentence each. */
  check?(arms: Arms): Promise<readonly string[]>;
}

/** An attack ends by itself after so many actions. */
const MAX_ACTIONS = 500_000;

export function createArms(settings: AttackerSettings, count: (how: string) => void) {
  const { url, sharedKey, databaseUrl } = settings;
  const callers: Caller[] = [];
  let deadline = Number.POSITIVE_INFINITY;
  let actions = 0;
  let isClosed = false;
  let isPreparing = true;
  const isOver = (): boolean => isClosed || performance.now() >= deadline || actions >= MAX_ACTIONS;

  function caller(claims: Omit<Claims, 'tenant'>): Caller {
    const options = {
      ...{ url, sharedKey, claims: { ...claims, tenant: TENANT }, onAnswer },
      // Quotas hold while an attack is prepared, too.
      isPatient: () => isPreparing,
    };
    const made = createCaller(options);
    callers.push(made);
    return made;
  }

  function onAnswer(how: string): void {
    if (!isClosed) count(how);
  }

  async function lane(n: number, act: (n: number) => Promise<unknown>): Promise<void> {
    while (!isOver()) {
      actions += 1;
      const began = performance.now();
      // What was answered is counted already; a lane goes on after a refusal.
      await act(n).catch(() => sleep(10));
      // What fails immediately is not repeated in a tight loop.
      const restMs = 1 - (performance.now() - began);
      if (restMs > 0) await sleep(restMs);
    }
  }

  const attacker = caller({ sub: 'attacker', scope: 'read publish' });
  const arms: Arms = {
    url,
    attacker,
    caller,
    count: onAnswer,
    isOver,
    async sql(text) {
      const client = new pg.Client({ connectionString: databaseUrl });
      await client.connect();
      try {
        await client.query(text);
      } finally {
        await client.end();
      }
    },
    async lanes(lanes, act) {
      await Promise.all(Array.from({ length: lanes }, (_, n) => lane(n, act)));
    },
    begin: (id, options = {}) => begin(attacker, id, options),
  };
  return {
    arms,
    start(seconds: number): void {
      isPreparing = false;
      deadline = performance.now() + seconds * 1_000;
    },
    /** Breaks every connection: what is still waited for is answered by nobody. */
    close(): void {
      isClosed = true;
      for (const each of callers) each.close();
    },
  };
}

async function begin(caller: Caller, id: string, options: object): Promise<Publication> {
  const path = `/api/v0/executions/agents/${id}`;
  const body = { mode: 'STRUCTURED', agentId: 'attacker', ...options };
  const { status, text } = await caller.call(path, { method: 'PUT', body });
  if (status !== 201) throw new Error(`PUT ${path}: ${status} ${text.slice(0, 200)}`);
  const { token } = JSON.parse(text) as { token: string };
  let batches = 0;
  const post: Publication['post'] = (events, options = {}) => {
    batches += 1;
    const headers = { 'publisher-token': token, 'idempotency-key': `${batches}`, ...options.headers };
    return caller.call(`${path}/events`, { body: { events }, ...options, headers });
  };
  return {
    path,
    post,
    patch: (patches) => post(patches.map((patch) => ({ type: 'structured_delta', data: { patch } }))),
  };
}
