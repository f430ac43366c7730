// Stream tokens, for a browser's EventSource, which sends no headers (protocol, "Authentication").
//
// A token is a random word. What it stands for is a record under the token's hash: kept for a minute, and from the
// first use on until the session's limit; a token is revoked by removing it. Both the first use and the revocation
// must be known to every server, so that a signature would spare no look-up, and would be one more key to share.
import { createHash, randomBytes } from 'node:crypto';
import { ExecstreamError } from '../../event/error.ts';
import type { Caller } from '../../execution/permission.ts';
import type { StreamToken, StreamTokens } from '../../schema/context.ts';
import type { TokenRecords } from './token-records.ts';

/** Within this time a token must first be used: one that was left in a log or a history is then worth nothing. */
const FIRST_USE_MS = 60_000;
const DEFAULT_SESSION_MS = 60 * 60 * 1000;

const TOKEN = /^[\w-]{43}$/;

interface TokenRecord {
  readonly caller: Caller;
  /** The end of the session, in ms since 1970. */
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

/** @param sessionMs how long a token serves after it was made; an hour by default. */
export function createStreamTokens(
  records: TokenRecords,
  sessionMs: number = DEFAULT_SESSION_MS,
): RedeemableStreamTokens {
  return {
    mint: async (minter, executions): Promise<StreamToken> => {
      const token = randomBytes(32).toString('base64url');
      const until = Date.now() + sessionMs;
      const caller: Caller = { ...minter, scopes: ['read'], executions, viaStreamToken: true };
      const record: TokenRecord = { caller, until };
      await records.put(keyOf(token), JSON.stringify(record), Math.min(FIRST_USE_MS, sessionMs));
      return { token, expiresAt: new Date(until) };
    },

    redeem: async (token) => {
      const record = await read(token);
      // Also for a reconnect, for which it changes nothing: nobody needs to know which use is the first.
      if (!record || !(await records.keepUntil(keyOf(token), record.until))) {
        const why = 'the stream token is unknown, has expired, was revoked or was not used within a minute';
        throw new ExecstreamError('UNAUTHENTICATED', why);
      }
      return record.caller;
    },

    revoke: async (caller, token) => {
      const record = await read(token);
      const isTheirs = record && record.caller.id === caller.id && record.caller.tenant === caller.tenant;
      if (isTheirs) await records.remove(keyOf(token));
    },

    close: () => records.close(),
  };

  async function read(token: string): Promise<TokenRecord | undefined> {
    const text = TOKEN.test(token) ? await records.get(keyOf(token)) : undefined;
    return text === undefined ? undefined : recordOf(text);
  }
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
