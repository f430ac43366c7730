// How a viewer is let in: by a JWT in a header or by a stream token in the URL, both short-lived, kept until refused.
import { TENANT } from '../plan.ts';
import { mintJwt } from './jwt.ts';

export interface Access {
  /** What a connection carries now. @throws Error where a token could not be had. */
  carry(): Promise<{ readonly headers: Record<string, string>; readonly query: Record<string, string> }>;
  /** The server has answered 401: what was carried is worth nothing any more. */
  refused(): void;
  /** Whether what it holds has expired by now. */
  readonly isExpired: boolean;
}

export interface AccessOptions {
  readonly url: string;
  readonly sharedKey: string;
  /** Who it is: streams are counted by caller. */
  readonly sub: string;
  /** How long a JWT is good for. */
  readonly jwtSeconds: number;
}

export function accessByJwt({ sharedKey, sub, jwtSeconds }: AccessOptions): Access {
  let jwt: string | undefined;
  let expiresAt = 0;
  return {
    async carry() {
      if (!jwt) {
        jwt = mintJwt(sharedKey, { sub, tenant: TENANT }, jwtSeconds);
        expiresAt = Date.now() + jwtSeconds * 1_000;
      }
      return { headers: { authorization: `Bearer ${jwt}` }, query: {} };
    },
    refused() {
      jwt = undefined;
    },
    get isExpired() {
      return jwt !== undefined && Date.now() > expiresAt;
    },
  };
}

/** A token of `POST /api/v0/stream-tokens` for one execution. */
export function accessByStreamToken(options: AccessOptions, executionId: string): Access {
  const { url, sharedKey, sub } = options;
  let token: string | undefined;
  let expiresAt = 0;
  return {
    async carry() {
      if (!token) {
        const jwt = mintJwt(sharedKey, { sub, tenant: TENANT }, 30);
        const answer = await fetch(`${url}/api/v0/stream-tokens`, {
          method: 'POST',
          headers: { authorization: `Bearer ${jwt}`, 'content-type': 'application/json' },
          body: JSON.stringify({ executions: [executionId] }),
          signal: AbortSignal.timeout(10_000),
        });
        if (answer.status !== 201) {
          await answer.body?.cancel();
          throw new Error(`no stream token: ${answer.status}`);
        }
        const made = (await answer.json()) as { token: string; expiresAt: string };
        token = made.token;
        expiresAt = Date.parse(made.expiresAt);
      }
      return { headers: {}, query: { access_token: token } };
    },
    refused() {
      token = undefined;
    },
    get isExpired() {
      return token !== undefined && Date.now() > expiresAt;
    },
  };
}
