// Stream tokens, for a browser's EventSource, which cannot send headers (PROTOCOL.md, "Authentication").
//
// A token is an opaque random id. Its record is stored under the token's hash: for a minute, and from the first use
// until the end of the session. Removing the record revokes the token. Every server must know the first use and a
// revocation, so signed tokens would need the same look-up, and another shared key.
import { createHash, randomBytes } from 'node:crypto';
import { ExecstreamError } from '../../event/errors.ts';
import { patternFor } from '../../execution/id-patterns.ts';
import { ANONYMOUS, type Caller, callerKey } from '../../execution/permission.ts';
import type { StreamToken, StreamTokens } from '../../schema/services.ts';
import type { TokenRecords } from './token-records.ts';

/** A token must be used within this time; later, one found in a log or a browser history is useless. */
const FIRST_USE_MS = 60_000;
export const DEFAULT_SESSION_MS = 60 * 60 * 1000;

/** Unexpired stream tokens of one caller. A service may create those of all its users. */
export const DEFAULT_TOKENS_PER_CALLER = 10_000;

const TOKEN = /^[\w-]{43}$/;

interface TokenRecord {
  readonly caller: Caller;
  /** The end of the session, in ms since 1970; not later than the expiry of the credentials that created the token. */
  readonly until: number;
}

export interface RedeemableStreamTokens extends StreamTokens {
  /**
   * Returns the caller that a token represents, restricted to reading the token's executions.
   * @throws ExecstreamError `UNAUTHENTICATED`, `SOURCE_UNAVAILABLE`
   */
  redeem(token: string): Promise<Caller>;
  close(): Promise<void>;
}

export interface StreamTokenOptions {
  /**
   * Lifetime of a token.
   * @default 3_600_000
   */
  readonly sessionMs?: number | undefined;
  /**
   * Unexpired tokens of one caller. There is no limit while authentication is off.
   * @default 10_000
   */
  readonly perCaller?: number | undefined;
  /**
   * Claims of its creator that a token keeps, for a policy that reads them. A JWT may contain personal data.
   * @default []
   */
  readonly policyClaims?: readonly string[] | undefined;
}

/** All servers that share records must have the same options. */
export function createStreamTokens(
  records: TokenRecords,
  options: StreamTokenOptions = {},
): RedeemableStreamTokens {
  const {
    sessionMs = DEFAULT_SESSION_MS,
    perCaller = DEFAULT_TOKENS_PER_CALLER,
    policyClaims = [],
  } = options;
  return {
    mint: async (minter, executions): Promise<StreamToken> => {
      const token = randomBytes(32).toString('base64url');
      const now = Date.now();
      const until = Math.floor(Math.min(now + sessionMs, minter.expiresAt ?? Number.POSITIVE_INFINITY));
      // A JWT is accepted after its expiry, within the clock skew. A token created then would already have expired.
      if (until <= now) throw new ExecstreamError('UNAUTHENTICATED', 'credentials have expired');
      const record: TokenRecord = { caller: restrict(minter, executions, policyClaims), until };
      const owner = minter === ANONYMOUS ? undefined : { id: ownerIdOf(minter), limit: perCaller };
      const keepMs = Math.min(FIRST_USE_MS, until - now);
      if (!(await records.put(keyOf(token), JSON.stringify(record), keepMs, owner))) {
        const detail = `too many stream tokens for this caller (limit ${perCaller})`;
        throw new ExecstreamError('TOO_MANY_REQUESTS', detail);
      }
      return { token, expiresAt: new Date(until) };
    },

    redeem: async (token) => {
      const record = await read(token);
      // Reconnects extend it too, which has no effect: the first use need not be distinguished.
      // The expiry of the record itself is checked by the clock of Redis, which may differ.
      const hasExpired = !record || record.until <= Date.now();
      if (hasExpired || !(await records.keepUntil(keyOf(token), record.until, ownerIdOf(record.caller)))) {
        const message =
          'stream token is unknown, expired, revoked, or was not used within a minute of its creation';
        throw new ExecstreamError('UNAUTHENTICATED', message);
      }
      return record.caller;
    },

    revoke: async (caller, token) => {
      const record = await read(token);
      const isOwner = record && record.caller.id === caller.id && record.caller.tenant === caller.tenant;
      if (isOwner) await records.remove(keyOf(token), ownerIdOf(caller));
    },

    close: () => records.close(),
  };

  async function read(token: string): Promise<TokenRecord | undefined> {
    const text = TOKEN.test(token) ? await records.get(keyOf(token)) : undefined;
    return text === undefined ? undefined : recordOf(text);
  }
}

/** The caller of a token: of its creator, only what permission to read depends on. */
function restrict(
  { id, tenant, claims = {} }: Caller,
  executions: readonly string[],
  policyClaims: readonly string[],
): Caller {
  const kept = Object.entries(claims).filter(([name]) => policyClaims.includes(name));
  return {
    id,
    ...(tenant !== undefined && { tenant }),
    scopes: ['read'],
    executions: executions.map(patternFor),
    ...(kept.length > 0 && { claims: Object.fromEntries(kept) }),
    viaStreamToken: true,
  };
}

/** Undefined if the text is not a valid record. */
function recordOf(text: string): TokenRecord | undefined {
  try {
    const { caller, until } = JSON.parse(text) as Partial<TokenRecord>;
    const isValid =
      typeof caller?.id === 'string' && Array.isArray(caller.executions) && Number.isFinite(until);
    return isValid ? ({ caller, until } as TokenRecord) : undefined;
  } catch {
    return undefined;
  }
}

/** A hash, so that access to Redis does not reveal usable tokens. */
function keyOf(token: string): string {
  return createHash('sha256').update(token).digest('base64url');
}

/** A hash, so that access to Redis does not reveal the owners of tokens. */
function ownerIdOf(caller: Caller): string {
  return createHash('sha256').update(callerKey(caller)).digest('base64url');
}
