// A server with authentication on, over memory, and tokens that it accepts.
//
//   await using app = await startGuarded();
//   await fetch(`${app.url}/graphql`, { headers: bearer(await tokenOf({ sub: 'ann', tenant: 'acme' })) });
import { type JWTPayload, SignJWT } from 'jose';
import type { AuthenticationOptions } from '../../src/server/auth/authenticate.ts';
import { listen } from '../../src/server/node-server.ts';
import { type App, type AppOptions, createApp } from '../support/app.ts';

export const SHARED_KEY = 'a shared key that is long enough to be one';
const SECRET = new TextEncoder().encode(SHARED_KEY);

/** A JWT that the server accepts, unless the claims are invalid; `exp` in seconds since 1970. */
export function tokenOf(claims: JWTPayload = {}, secret = SECRET, alg = 'HS256'): Promise<string> {
  const exp = Math.floor(Date.now() / 1_000) + 300;
  return new SignJWT({ sub: 'ann', exp, ...claims }).setProtectedHeader({ alg }).sign(secret);
}

export function bearer(token: string): { authorization: string } {
  return { authorization: `Bearer ${token}` };
}

export interface GuardedOptions extends Omit<AppOptions, 'auth'> {
  /** By the shared key; null turns authentication off. */
  readonly auth?: AuthenticationOptions | null;
}

export interface GuardedApp extends App {
  readonly url: string;
}

/** Starts the server on 127.0.0.1. */
export async function startGuarded(options: GuardedOptions = {}): Promise<GuardedApp> {
  const { auth = { key: { shared: SHARED_KEY } }, ...rest } = options;
  const app = createApp({ ...rest, ...(auth && { auth }) });
  const server = await listen(app.services, { host: '127.0.0.1', port: 0 });
  const close = async () => {
    await app.publisher.close();
    await server.close();
    await app.close();
  };
  return { ...app, url: server.url, close, [Symbol.asyncDispose]: close };
}
