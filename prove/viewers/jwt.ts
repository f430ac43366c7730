// Signs the tokens of the proof's callers, as an identity provider would.
import { createHmac } from 'node:crypto';

export interface Claims {
  readonly sub: string;
  readonly tenant: string;
  readonly scope?: string;
  /** The only executions that may be read: ids, or prefixes that end in `*`. */
  readonly executions?: readonly string[];
}

/** A JWT (HS256) that expires after `seconds`. */
export function mintJwt(sharedKey: string, claims: Claims, seconds: number): string {
  const now = Math.floor(Date.now() / 1_000);
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signedPart = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ ...claims, iat: now, exp: now + seconds })}`;
  return `${signedPart}.${createHmac('sha256', sharedKey).update(signedPart).digest('base64url')}`;
}
