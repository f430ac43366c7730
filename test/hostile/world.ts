// The state that hostile inputs refer to: executions of two tenants on the target, and the credentials of one of them.
import { setTimeout as sleep } from 'node:timers/promises';
import { SignJWT } from 'jose';
import { MARKER } from './judge.ts';

const SECRETS = {
  sharedKey: 'hostile-run-shared-key-nobody-may-print-1',
  databasePassword: 'hostile-run-database-password',
  redisPassword: 'hostile-run-redis-password',
};
/** The secrets of the target's parts, which must not occur in its output. */
export const { sharedKey, databasePassword, redisPassword } = SECRETS;

/** An open execution and the token of its publisher. */
export interface Published {
  readonly path: string;
  readonly token: string;
}

export interface World {
  /** Of the caller of all inputs, in tenant A, that reads and publishes; a new one for each batch of inputs. */
  jwt: string;
  /** Of a caller in tenant A whose claims limit it to the first execution in `own`. */
  readonly limitedJwt: string;
  /** A stream token of tenant A for the executions in `own`. */
  readonly streamToken: string;
  /** The paths of tenant A's executions, such as `agents/acme-live`. */
  readonly own: readonly string[];
  /** The paths of tenant B's executions. */
  readonly foreign: readonly string[];
  /** Publisher tokens of tenant B's executions, as if A had stolen them. */
  readonly stolen: readonly Published[];
  /** Tenant A's open executions, new for each batch of inputs. */
  published: readonly Published[];
  /** Executions whose logs another client of Redis corrupts, also new for each batch. */
  damaged: readonly Published[];
  /** Everything that has been sent as a credential. */
  readonly secrets: Set<string>;
}

const encoder = new TextEncoder();
const CLAIMS = { sub: 'ann', tenant: 'acme', scope: 'read publish' };

/** Creates a JWT for the target, valid for a day unless the claims set another expiry. */
function tokenOf(claims: object = {}, key = sharedKey, alg = 'HS256'): Promise<string> {
  const exp = Math.floor(Date.now() / 1_000) + 86_400;
  return new SignJWT({ exp, ...claims }).setProtectedHeader({ alg }).sign(encoder.encode(key));
}

export async function createWorld(url: string): Promise<World> {
  const jwt = await tokenOf(CLAIMS);
  const foreignJwt = await tokenOf({ sub: 'bob', tenant: 'globex', scope: 'read publish' });
  const own = await populate(url, jwt, 'acme', 'for acme');
  const foreign = await populate(url, foreignJwt, 'globex', MARKER);
  const minted = await send(url, '/api/v0/stream-tokens', 'POST', jwt, {
    executions: own.map(({ path }) => path.split('/')[1]),
  });
  const limitedJwt = await tokenOf({ ...CLAIMS, sub: 'lim', executions: ['acme-live'] });
  const world: World = {
    jwt,
    limitedJwt,
    streamToken: minted.token,
    own: own.map(({ path }) => path),
    foreign: foreign.map(({ path }) => path),
    stolen: foreign,
    published: [],
    damaged: [],
    secrets: new Set([...Object.values(SECRETS), jwt, limitedJwt, foreignJwt, minted.token]),
  };
  for (const { token } of [...own, ...foreign]) world.secrets.add(token);
  await refresh(url, world, 0);
  return world;
}

/** Begins executions for the next batch of inputs, because the previous ones may have ended. */
export async function refresh(url: string, world: World, batch: number): Promise<void> {
  // The quotas of one caller would reject most inputs of a long run.
  world.jwt = await tokenOf({ ...CLAIMS, sub: `ann-${batch}` });
  world.secrets.add(world.jwt);
  const text = (name: string) => begin(url, world.jwt, `agents/acme-${name}-${batch}`, { mode: 'TEXT' });
  const value = (name: string) =>
    begin(url, world.jwt, `tasks/acme-${name}-${batch}`, { mode: 'STRUCTURED' });
  world.published = await Promise.all([text('text'), value('value')]);
  world.damaged = await Promise.all([1, 2, 3, 4].map((n) => (n % 2 ? text : value)(`damaged-${n}`)));
  for (const { token } of [...world.published, ...world.damaged]) world.secrets.add(token);
}

async function populate(url: string, jwt: string, tenant: string, text: string): Promise<Published[]> {
  const extra = { name: text, input: { text } };
  const live = await begin(url, jwt, `agents/${tenant}-live`, { mode: 'TEXT', ...extra });
  const done = await begin(url, jwt, `tasks/${tenant}-done`, { mode: 'TEXT', ...extra });
  const shape = await begin(url, jwt, `agents/${tenant}-shape`, { mode: 'STRUCTURED', ...extra });
  const flow = await begin(url, jwt, `workflows/${tenant}-flow`, { mode: 'STRUCTURED', ...extra });
  const chunk = { type: 'llm_chunk', data: { content: `${text} ` } };
  const call = { toolCallId: 't', toolName: text, status: 'started', args: { text } };
  await publish(url, jwt, live, [chunk, { type: 'tool_call', data: call }, chunk]);
  await publish(url, jwt, done, [chunk, { type: 'complete', data: {} }]);
  const patch = [{ op: 'add', path: '', value: { text } }];
  await publish(url, jwt, shape, [{ type: 'structured_delta', data: { patch } }]);
  await publish(url, jwt, flow, [{ type: 'warning', data: { code: 'W', message: text } }]);
  return [live, done, shape, flow];
}

async function begin(url: string, jwt: string, path: string, body: object): Promise<Published> {
  const { token } = await send(url, `/api/v0/executions/${path}`, 'PUT', jwt, body);
  return { path, token };
}

async function publish(
  url: string,
  jwt: string,
  { path, token }: Published,
  events: object[],
): Promise<void> {
  const headers = { 'publisher-token': token, 'idempotency-key': 'first' };
  await send(url, `/api/v0/executions/${path}/events`, 'POST', jwt, { events }, headers);
}

async function send(
  url: string,
  path: string,
  method: string,
  jwt: string,
  body: object,
  headers: Record<string, string> = {},
): Promise<{ token: string }> {
  for (let attempt = 1; ; attempt += 1) {
    const response = await fetch(url + path, {
      method,
      headers: { ...headers, authorization: `Bearer ${jwt}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    if (response.ok) return JSON.parse(text) as { token: string };
    if (response.status !== 429 || attempt === 10) {
      throw new Error(`${method} ${path}: ${response.status} ${text}`);
    }
    await sleep(1_000);
  }
}
