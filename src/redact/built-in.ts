// The secrets that are recognised by their format, one rule or more per kind. Their cost is linear in the text: each
// rule looks ahead a limited distance, and none examines the same run twice.
import { ACCESS_KEYS } from './access-keys.ts';
import { privateKey } from './private-key.ts';
import { type CharacterRun, endOfRun, LIKELY_UNITS, NO_MATCH, type Rule, skipRun } from './rule.ts';
import { looksGenerated, SAMPLE_UNITS } from './words.ts';

/** The characters of a bearer token (RFC 6750). */
const TOKEN: CharacterRun = { units: /[A-Za-z0-9_~+/=-]*/y, joint: '.' };
const BLANKS: CharacterRun = { units: /[ \t]*/y };
const MAX_BLANKS = 4;

/** Units of a token in which a digit counts. */
const DIGIT_UNITS = 20;

/** "Bearer" and a token of at least 8 units with a digit, or 20 that look generated; "bearer of bad news" does not match. */
const bearer: Rule = {
  kind: 'bearer',
  triggers: ['bearer'],
  ignoresCase: true,
  keepsTrigger: true,
  startsWord: true,
  match(text, at, trigger, isEnd) {
    const blanks = endOfRun(BLANKS, text, at + trigger.length, isEnd);
    const from = blanks.to;
    const blankUnits = from - at - trigger.length;
    if (blankUnits > MAX_BLANKS) return NO_MATCH;
    if (blanks.isOpen) return { is: 'open', likely: false, from };
    if (blankUnits === 0) return NO_MATCH;
    // Only these units count, so that the result does not depend on the text that follows.
    const window = text.slice(from, from + SAMPLE_UNITS);
    const { to: units, isOpen } = endOfRun(TOKEN, window, 0, isEnd || window.length === SAMPLE_UNITS);
    const token = window.slice(0, units);
    const isSecret =
      (units >= 8 && /\d/.test(token.slice(0, DIGIT_UNITS))) || (units >= 20 && looksGenerated(token));
    if (isSecret) return { is: 'secret', from, to: from + units, skip: skipRun(TOKEN) };
    return isOpen ? { is: 'open', likely: units >= LIKELY_UNITS, from } : NO_MATCH;
  },
};

const BASE64_URL: CharacterRun = { units: /[A-Za-z0-9_-]*/y };
const JWT: CharacterRun = { ...BASE64_URL, joint: '.' };
const MAX_JWT_HEADER = 2_048;

/**
 * `{"` in base64url, the rest of a header, a dot, and the beginning of a payload. If the header is too long, only the
 * header stays visible: the payload begins with `eyJ` too.
 */
const jwt: Rule = {
  kind: 'jwt',
  triggers: ['eyJ'],
  startsWord: true,
  match(text, at, trigger, isEnd) {
    // Only as much as a header may have is examined.
    const header = endOfRun(BASE64_URL, text.slice(at, at + MAX_JWT_HEADER + 1), trigger.length, isEnd);
    if (header.to > MAX_JWT_HEADER) return { is: 'no', until: at + MAX_JWT_HEADER };
    const dot = at + header.to;
    if (header.isOpen && dot === text.length) return { is: 'open', likely: header.to >= 20, from: at };
    if (text[dot] !== '.' || header.to < 10) return { is: 'no', until: dot };
    const payload = endOfRun(BASE64_URL, text, dot + 1, isEnd);
    if (payload.to - dot > 4) return { is: 'secret', from: at, to: payload.to, skip: skipRun(JWT) };
    return payload.isOpen ? { is: 'open', likely: true, from: at } : { is: 'no', until: dot };
  },
};

/** The separators between the name of a key and its value: `": "`, ` = `, `\": \"`, `>`. */
const SEPARATORS: CharacterRun = { units: /["'`\\\s:=>]*/y };
const MAX_SEPARATORS = 12;
const BASE64: CharacterRun = { units: /[A-Za-z0-9/+=]*/y };

/** A secret access key has no recognisable format; only its name identifies it. */
const awsSecret: Rule = {
  kind: 'aws',
  triggers: [
    'secret_access_key',
    'secretaccesskey',
    'secret-access-key',
    'secret access key',
    'aws_secret_key',
  ],
  ignoresCase: true,
  keepsTrigger: true,
  match(text, at, trigger, isEnd) {
    const start = at + trigger.length;
    const separators = endOfRun(SEPARATORS, text, start, isEnd);
    const from = separators.to;
    if (from - start > MAX_SEPARATORS) return NO_MATCH;
    if (separators.isOpen) return { is: 'open', likely: false, from };
    if (from === start) return NO_MATCH;
    const { to, isOpen } = endOfRun(BASE64, text, from, isEnd);
    if (to - from >= 16) return { is: 'secret', from, to, skip: skipRun(BASE64) };
    return isOpen ? { is: 'open', likely: to - from >= LIKELY_UNITS, from } : NO_MATCH;
  },
};

/** The characters of an authority (RFC 3986), and those that occur in passwords. */
const AUTHORITY: CharacterRun = { units: /[!$-.0-;=A-[\]^_a-~@]*/y };
const MAX_AUTHORITY = 512;

/** `user:password@` after `://`, up to the last `@` of the authority. */
const uri: Rule = {
  kind: 'uri',
  triggers: ['://'],
  keepsTrigger: true,
  match(text, at, trigger, isEnd) {
    const from = at + trigger.length;
    const window = text.slice(from, from + MAX_AUTHORITY + 1);
    const { to, isOpen } = endOfRun(AUTHORITY, window, 0, isEnd);
    const authority = window.slice(0, to);
    const colon = authority.indexOf(':');
    const ats = authority.lastIndexOf('@');
    // A longer authority may not have ended yet: the part up to the limit is used.
    if (to > MAX_AUTHORITY || !isOpen) {
      if (colon < 0 || ats < colon + 2) return NO_MATCH;
      return { is: 'secret', from, to: from + ats };
    }
    // So far this may be a port, which is not a secret.
    const likely = colon >= 0 && !/^\d{0,5}$/.test(authority.slice(colon + 1));
    return { is: 'open', likely, from };
  },
};

/** The rules that are enabled by default. */
export const BUILT_IN: readonly Rule[] = [bearer, jwt, ...ACCESS_KEYS, awsSecret, uri, privateKey];
