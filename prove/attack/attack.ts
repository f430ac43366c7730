// An attack: one caller's preparation, and its actions until the time is up.
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Claims } from '../viewers/jwt.ts';
import { type Caller, type CallOptions, type CallResult, createCaller } from './caller.ts';
import type { AttackerSettings } from './messages.ts';

/** The attacker's tenant. */
export const TENANT = 'attacker';

export interface AttackContext {
  readonly url: string;
  /** The attacker, with the scopes to read and to publish. */
  readonly attacker: Caller;
  /** Another caller of the attacker's tenant. */
  caller(claims: Omit<Claims, 'tenant'>): Caller;
  /** Executes SQL, for rows that another program has written. */
  sql(text: string): Promise<void>;
  /** Whether the time is up. */
  isOver(): boolean;
  /** Repeats `act` in `count` concurrent lanes, until the time is up. */
  lanes(count: number, act: (n: number) => Promise<unknown>): Promise<void>;
  count(how: string): void;
  /** Begins an execution. @throws Error if it is rejected. */
  begin(id: string, options?: object): Promise<Publication>;
}

/** An execution that the attacker publishes. */
export interface Publication {
  readonly path: string;
  /** Sends a batch. */
  post(events: readonly object[], options?: CallOptions): Promise<CallResult>;
  /** Sends a batch of patches, one per event. */
  patch(patches: readonly (readonly object[])[]): Promise<CallResult>;
}

export interface Attack {
  /** The number of a group of attacks, and a letter. */
  readonly id: string;
  readonly title: string;
  /** Prepares the attack; not measured. */
  prepare?(context: AttackContext): Promise<void>;
  run(context: AttackContext): Promise<void>;
  /** Runs after the attack, once its connections are closed. Returns the problems, one sentence each. */
  check?(context: AttackContext): Promise<readonly string[]>;
}

/** The maximum number of actions of an attack. */
const MAX_ACTIONS = 500_000;

export function createAttackContext(settings: AttackerSettings, count: (how: string) => void) {
  const { url, sharedKey, databaseUrl } = settings;
  const callers: Caller[] = [];
  let deadline = Number.POSITIVE_INFINITY;
  let actions = 0;
  let isClosed = false;
  let isPreparing = true;
  const isOver = (): boolean => isClosed || performance.now() >= deadline || actions >= MAX_ACTIONS;

  function caller(claims: Omit<Claims, 'tenant'>): Caller {
    const options = {
      ...{ url, sharedKey, claims: { ...claims, tenant: TENANT }, onResponse },
      // Quotas also apply while an attack is prepared.
      isPatient: () => isPreparing,
    };
    const created = createCaller(options);
    callers.push(created);
    return created;
  }

  function onResponse(how: string): void {
    if (!isClosed) count(how);
  }

  async function lane(n: number, act: (n: number) => Promise<unknown>): Promise<void> {
    while (!isOver()) {
      actions += 1;
      const began = performance.now();
      // The response was counted already; a lane continues after a rejection.
      await act(n).catch(() => sleep(10));
      // An immediate failure is not retried in a tight loop.
      const restMs = 1 - (performance.now() - began);
      if (restMs > 0) await sleep(restMs);
    }
  }

  const attacker = caller({ sub: 'attacker', scope: 'read publish' });
  const context: AttackContext = {
    url,
    attacker,
    caller,
    count: onResponse,
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
    context,
    start(seconds: number): void {
      isPreparing = false;
      deadline = performance.now() + seconds * 1_000;
    },
    /** Closes every connection; requests in flight get no response. */
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
