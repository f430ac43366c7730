// A viewer's credentials: a JWT in a header or a stream token in the URL. Both are short-lived and used until the
// server rejects them.
import { TENANT } from '../plan.ts';
import { mintJwt } from './jwt.ts';

export interface Access {
  /** The current credentials. @throws Error if no token could be obtained. */
  credentials(): Promise<{
    readonly headers: Record<string, string>;
    readonly query: Record<string, string>;
  }>;
  /** Discards the credentials after a 401. */
  invalidate(): void;
  /** Whether the current credentials have expired. */
  readonly isExpired: boolean;
}

export interface AccessOptions {
  readonly url: string;
  readonly sharedKey: string;
  /** The caller's id: streams are counted by caller. */
  readonly sub: string;
  /** The lifetime of a JWT. */
  readonly jwtSeconds: number;
}

export function accessByJwt({ sharedKey, sub, jwtSeconds }: AccessOptions): Access {
  let jwt: string | undefined;
  let expiresAt = 0;
  return {
    async credentials() {
      if (!jwt) {
        jwt = mintJwt(sharedKey, { sub, tenant: TENANT }, jwtSeconds);
        expiresAt = Date.now() + jwtSeconds * 1_000;
      }
      return { headers: { authorization: `Bearer ${jwt}` }, query: {} };
    },
    invalidate() {
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
    async credentials() {
      if (!token) {
        const jwt = mintJwt(sharedKey, { sub, tenant: TENANT }, 30);
        const response = await fetch(`${url}/api/v0/stream-tokens`, {
          method: 'POST',
          headers: { authorization: `Bearer ${jwt}`, 'content-type': 'application/json' },
          body: JSON.stringify({ executions: [executionId] }),
          signal: AbortSignal.timeout(10_000),
        });
        if (response.status !== 201) {
          await response.body?.cancel();
          throw new Error(`no stream token: ${response.status}`);
        }
        const created = (await response.json()) as { token: string; expiresAt: string };
        token = created.token;
        expiresAt = Date.parse(created.expiresAt);
      }
      return { headers: {}, query: { access_token: token } };
    },
    invalidate() {
      token = undefined;
    },
    get isExpired() {
      return token !== undefined && Date.now() > expiresAt;
    },
  };
}
