// `/token`: in an application, its own server creates tokens for the user who is signed in.
import { createHmac } from 'node:crypto';
import type { Plugin } from 'vite';

/** Serves tokens for the key of the server. A server without authentication ignores them. */
export function tokenEndpoint(key: string, seconds: number): Plugin {
  return {
    name: 'token-endpoint',
    configureServer({ middlewares }) {
      middlewares.use('/token', (_request, response) => {
        response.setHeader('cache-control', 'no-store');
        response.end(createToken(key, seconds));
      });
    },
  };
}

/** A JWT that a server with `AUTH_SHARED_KEY` accepts. */
function createToken(key: string, seconds: number): string {
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url');
  const exp = Math.floor(Date.now() / 1_000) + seconds;
  const content = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({ sub: 'ann', scope: 'read', exp })}`;
  return `${content}.${createHmac('sha256', key).update(content).digest('base64url')}`;
}
