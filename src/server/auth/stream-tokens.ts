// Stream tokens, for a browser's EventSource, which sends no headers (PROTOCOL.md, "Authentication").
//
// A token is a random word. What it stands for is a record under the token's hash: kept for a minute, and from the
// first use on until the session's limit; a token is revoked by removing it. Both the first use and the revocation
// must be known to every server, so that a signature would spare no look-up, and would be one more key to share.
import { createHash, randomBytes } from 'node:crypto';
import { ExecstreamError } from '../../event/errors.ts';
import { ANONYMOUS, type Caller, callerKey } from '../../execution/permission.ts';
import type { StreamToken, StreamTokens } from '../../schema/services.ts';
import type { TokenRecords } from './token-records.ts';

/** Within this time a token must first be used: one that was left in a log or a history is then worth nothing. */
const FIRST_USE_MS = 60_000;
export const DEFAULT_SESSION_MS = 60 * 60 * 1000;

/** Stream tokens of one caller that have not expired. A service may make those of all its users. */
export const DEFAULT_TOKENS_PER_CALLER = 10_000;

const TOKEN = /^[\w-]{43}$/;

interface TokenRecord {
  readonly caller: Caller;
  /** The end of the session, in ms since 1970: not after the end of the credentials that it was made with. */
  readonly until: number;
}

export interface RedeemableStreamTokens extends StreamTokens {
  /**
   * The caller that a token speaks for, limited to reading its executions.
   * @throws ExecstreamError `UNAUTHENTICATED`, `SOURCE_UNAVAILABLE`
   */
  redeem(token: string): Promise<Caller>;
  close(): Promise<void>;
}

export interface StreamTokenOptions {
  /** How long a token serves after it was made. Default 1 h. */
  readonly sessionMs?: number | undefined;
  /** How many tokens one caller may have; no limit holds while authentication is off. Default 10,000. */
  readonly perCaller?: number | undefined;
  /**
   * The claims of its maker that a token keeps, for a policy that reads them. Default none, since a JWT may hold
   * anything about a person.
   */
  readonly policyClaims?: readonly string[] | undefined;
}

/**
 * Makes stream tokens. All servers that share records must be given the same options.
 */
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
      // A JWT is accepted for a while after its end (clock skew); a token made then would be no token.
      if (until <= now) throw new ExecstreamError('UNAUTHENTICATED', 'the credentials have expired');
      const record: TokenRecord = { caller: bearerOf(minter, executions, policyClaims), until };
      const owner = minter === ANONYMOUS ? undefined : { id: ownerIdOf(minter), limit: perCaller };
      const keepMs = Math.min(FIRST_USE_MS, until - now);
      if (!(await records.put(keyOf(token), JSON.stringify(record), keepMs, owner))) {
        const detail = `too many stream tokens: the limit is ${perCaller} for one caller`;
        throw new ExecstreamError('TOO_MANY_REQUESTS', detail);
      }
      return { token, expiresAt: new Date(until) };
    },

    redeem: async (token) => {
      const record = await read(token);
      // Also for a reconnect, for which it changes nothing: nobody needs to know which use is the first.
      // Not left to the records' own end, which is by the clock of Redis.
      const isOver = !record || record.until <= Date.now();
      if (isOver || !(await records.keepUntil(keyOf(token), record.until, ownerIdOf(record.caller)))) {
        const why = 'the stream token is unknown, has expired, was revoked or was not used within a minute';
        throw new ExecstreamError('UNAUTHENTICATED', why);
      }
      return record.caller;
    },

    revoke: async (caller, token) => {
      const record = await read(token);
      const isTheirs = record && record.caller.id === caller.id && record.caller.tenant === caller.tenant;
      if (isTheirs) await records.remove(keyOf(token), ownerIdOf(caller));
    },

    close: () => records.close(),
  };

  async function read(token: string): Promise<TokenRecord | undefined> {
    const text = TOKEN.test(token) ? await records.get(keyOf(token)) : undefined;
    return text === undefined ? undefined : recordOf(text);
  }
}

/** Whom a token stands for: nothing of its maker beside what is needed to decide what may be read. */
function bearerOf(
  { id, tenant, claims = {} }: Caller,
  executions: readonly string[],
  policyClaims: readonly string[],
): Caller {
  const kept = Object.entries(claims).filter(([name]) => policyClaims.includes(name));
  return {
    id,
    ...(tenant !== undefined && { tenant }),
    scopes: ['read'],
    executions,
    ...(kept.length > 0 && { claims: Object.fromEntries(kept) }),
    viaStreamToken: true,
  };
}

/** What is no record stands for nobody. */
function recordOf(text: string): TokenRecord | undefined {
  try {
    const { caller, until } = JSON.parse(text) as Partial<TokenRecord>;
    const isOurs =
      typeof caller?.id === 'string' && Array.isArray(caller.executions) && Number.isFinite(until);
    return isOurs ? ({ caller, until } as TokenRecord) : undefined;
  } catch {
    return undefined;
  }
}

/** Whoever reads Redis finds no token that can be used. */
function keyOf(token: string): string {
  return createHash('sha256').update(token).digest('base64url');
}

/** Shows nobody who reads Redis whose tokens they are. */
function ownerIdOf(caller: Caller): string {
  return createHash('sha256').update(callerKey(caller)).digest('base64url');
}
