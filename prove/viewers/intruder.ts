// One who may not read an execution, and tries all the same: of another tenant, with a token that has expired, or with
// none. Anything that is shown to them is wrongly read.
import { TENANT } from '../plan.ts';
import { openConnection } from './connection.ts';
import { mintJwt } from './jwt.ts';
import { speak, type Target } from './transports.ts';

export interface Intruder {
  /** Ends it; answers what it got to see that it should not have. */
  stop(): Promise<string[]>;
}

const EVERY_MS = 3_000;
/** How long it listens where it is let in. */
const LISTENS_MS = 1_000;

/** Tries all doors again and again while the execution is watched. */
export function createIntruder(target: Target, sharedKey: string): Intruder {
  const seen = new Set<string>();
  const trying = new Set<Promise<void>>();
  // Whoever has no tenant of its own is read by all: workflows that the server itself made a row for.
  const ofAnotherTenant = target.kind === 'workflow' ? [] : [{ sub: 'stranger', tenant: 'another' }];
  const carried: (readonly [string, Record<string, string>])[] = [
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
    const speech = speak(isGraphQL ? 'graphql-get' : 'rest', target);
    const asked = speech.ask(undefined, {});
    const connection = openConnection({
      ...asked,
      headers: { ...asked.headers, ...headers },
      onEvent: (event) => {
        const message = speech.read(event);
        if (message.is === 'event') seen.add(`${who} was shown ${message.id} ${message.event.type}`);
      },
    });
    const late = setTimeout(() => connection.destroy(), LISTENS_MS);
    await connection.ended;
    clearTimeout(late);
  }

  let tries = 0;
  const timer = setInterval(() => {
    tries += 1;
    const [who, headers] = carried[tries % carried.length]!;
    const trial = attempt(who, headers, tries % 2 === 0).finally(() => trying.delete(trial));
    trying.add(trial);
  }, EVERY_MS);

  return {
    async stop() {
      clearInterval(timer);
      await Promise.all(trying);
      return [...seen];
    },
  };
}
