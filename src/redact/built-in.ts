// The secrets that are recognised by their format, one rule or more per kind. Their cost is linear in the text: each
// rule looks ahead a limited distance, and none examines the same run twice.
import { privateKey } from './private-key.ts';
import { type CharacterRun, endOfRun, LIKELY_UNITS, NO_MATCH, type Rule, skipRun } from './rule.ts';

interface RunRule extends Omit<Rule, 'match'> {
  readonly run: CharacterRun;
  /** The shortest run that is a secret, in code units. */
  readonly min: number;
}

/** A secret that consists of a trigger and a run of one class. */
function runRule({ run, min, ...rule }: RunRule): Rule {
  return {
    ...rule,
    match(text, at, trigger, isEnd) {
      const start = at + trigger.length;
      const { to, isOpen } = endOfRun(run, text, start, isEnd);
      const from = rule.keepsTrigger ? start : at;
      if (to - start >= min) return { is: 'secret', from, to, skip: skipRun(run) };
      return isOpen ? { is: 'open', likely: to - start >= LIKELY_UNITS, from } : NO_MATCH;
    },
  };
}

const ALPHANUMERIC: CharacterRun = { units: /[A-Za-z0-9]*/y };
const isInWord = (text: string, at: number, isAfterSecret: boolean): boolean =>
  at > 0 && !isAfterSecret && /[A-Za-z0-9]/.test(text[at - 1]!);

/** The characters of a bearer token (RFC 6750). */
const TOKEN: CharacterRun = { units: /[A-Za-z0-9_~+/=-]*/y, joint: '.' };
const BLANKS: CharacterRun = { units: /[ \t]*/y };
const MAX_BLANKS = 4;

/** "Bearer" and a token of at least 20 units, or 8 with a digit; "bearer of bad news" does not match. */
const bearer: Rule = {
  kind: 'bearer',
  triggers: ['bearer'],
  ignoresCase: true,
  keepsTrigger: true,
  match(text, at, trigger, isEnd, isAfterSecret) {
    if (isInWord(text, at, isAfterSecret)) return NO_MATCH;
    const blanks = endOfRun(BLANKS, text, at + trigger.length, isEnd);
    const from = blanks.to;
    const blankUnits = from - at - trigger.length;
    if (blankUnits > MAX_BLANKS) return NO_MATCH;
    if (blanks.isOpen) return { is: 'open', likely: false, from };
    if (blankUnits === 0) return NO_MATCH;
    const { to, isOpen } = endOfRun(TOKEN, text, from, isEnd);
    const units = to - from;
    // Only the first 20 units count, so that the result does not depend on the text that follows.
    const isSecret = units >= 20 || (units >= 8 && /\d/.test(text.slice(from, to)));
    if (isSecret) return { is: 'secret', from, to, skip: skipRun(TOKEN) };
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

const SK: CharacterRun = { units: /[A-Za-z0-9_-]*/y };

/**
 * `sk-…` of OpenAI and Anthropic: at least 16 units with a digit, or 16 without a hyphen, or 48. Inside a word
 * ("task-…") it needs 20 letters and digits, including a digit.
 */
const sk: Rule = {
  kind: 'sk',
  triggers: ['sk-'],
  match(text, at, trigger, isEnd, isAfterSecret) {
    const start = at + trigger.length;
    const isInside = isInWord(text, at, isAfterSecret);
    const { to, isOpen } = endOfRun(isInside ? ALPHANUMERIC : SK, text, start, isEnd);
    const units = to - start;
    const sample = text.slice(start, Math.min(to, start + 48));
    const isSecret = isInside
      ? units >= 20 && /\d/.test(sample)
      : units >= 48 || (units >= 16 && (/\d/.test(sample) || /[A-Za-z0-9_]{16}/.test(sample)));
    if (isSecret) return { is: 'secret', from: at, to, skip: skipRun(SK) };
    if (isInside && units >= 48) return NO_MATCH;
    return isOpen ? { is: 'open', likely: !isInside && units >= LIKELY_UNITS, from: at } : NO_MATCH;
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
export const BUILT_IN: readonly Rule[] = [
  bearer,
  jwt,
  sk,
  runRule({ kind: 'aws', triggers: ['AKIA', 'ASIA'], run: { units: /[A-Z0-9]*/y }, min: 16 }),
  awsSecret,
  runRule({
    kind: 'github',
    triggers: ['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_'],
    run: ALPHANUMERIC,
    min: 20,
  }),
  runRule({ kind: 'github', triggers: ['github_pat_'], run: { units: /[A-Za-z0-9_]*/y }, min: 20 }),
  runRule({
    kind: 'slack',
    triggers: [...'abcdeoprs'].map((letter) => `xox${letter}-`).concat('xapp-1-'),
    run: { units: /[A-Za-z0-9-]*/y },
    min: 10,
  }),
  runRule({
    kind: 'slack',
    triggers: ['hooks.slack.com/', 'hooks.slack-gov.com/'],
    run: { units: /[A-Za-z0-9_/-]*/y },
    min: 16,
    keepsTrigger: true,
  }),
  uri,
  privateKey,
];
