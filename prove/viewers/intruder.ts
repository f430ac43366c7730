// A client that is not authorized to read an execution and tries to: from another tenant, with an expired token, or
// without one. Every event that it receives is a finding.
import { TENANT } from '../plan.ts';
import { openConnection } from './connection.ts';
import { mintJwt } from './jwt.ts';
import { createProtocol, type Target } from './transports.ts';

export interface Intruder {
  /** Stops it. Returns a description of every event that it received. */
  stop(): Promise<string[]>;
}

const EVERY_MS = 3_000;
/** How long it reads an accepted stream. */
const LISTENS_MS = 1_000;

/** Tries all credentials in turn while the execution is watched. */
export function createIntruder(target: Target, sharedKey: string): Intruder {
  const seen = new Set<string>();
  const pending = new Set<Promise<void>>();
  // All tenants may read executions without a tenant, such as workflows whose rows a server created.
  const ofAnotherTenant = target.kind === 'workflow' ? [] : [{ sub: 'stranger', tenant: 'another' }];
  const credentials: (readonly [string, Record<string, string>])[] = [
    ...ofAnotherTenant.map(
      (claims) =>
        ['another tenant', { authorization: `Bearer ${mintJwt(sharedKey, claims, 3_600)}` }] as const,
    ),
    [
      'an expired token',
      { authorization: `Bearer ${mintJwt(sharedKey, { sub: 'late', tenant: TENANT }, -10)}` },
    ],
    ['no token', {}],
  ];

  async function attempt(who: string, headers: Record<string, string>, isGraphQL: boolean): Promise<void> {
    const protocol = createProtocol(isGraphQL ? 'graphql-get' : 'rest', target);
    const request = protocol.request(undefined, {});
    const connection = openConnection({
      ...request,
      headers: { ...request.headers, ...headers },
      onEvent: (event) => {
        const message = protocol.read(event);
        if (message.is === 'event') seen.add(`${who} received ${message.id} ${message.event.type}`);
      },
    });
    const timeout = setTimeout(() => connection.destroy(), LISTENS_MS);
    await connection.ended;
    clearTimeout(timeout);
  }

  let attempts = 0;
  const timer = setInterval(() => {
    attempts += 1;
    const [who, headers] = credentials[attempts % credentials.length]!;
    const promise = attempt(who, headers, attempts % 2 === 0).finally(() => pending.delete(promise));
    pending.add(promise);
  }, EVERY_MS);

  return {
    async stop() {
      clearInterval(timer);
      await Promise.all(pending);
      return [...seen];
    },
  };
}
