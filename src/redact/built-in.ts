// The secrets that are known by their looks. One rule a kind; what they cost is linear in the text, for each looks
// ahead a bounded way, and none looks at the same run twice.
import { privateKey } from './private-key.ts';
import { endOfRun, LIKELY_UNITS, NO, type Rule, type Run, skipRun } from './rule.ts';

interface RunRule extends Omit<Rule, 'match'> {
  readonly run: Run;
  /** Units of the run from which it is a secret. */
  readonly min: number;
}

/** A secret that is a trigger and a run of one class behind it. */
function runRule({ run, min, ...rule }: RunRule): Rule {
  return {
    ...rule,
    match(text, at, trigger, isEnd) {
      const start = at + trigger.length;
      const { to, isOpen } = endOfRun(run, text, start, isEnd);
      const from = rule.keepsTrigger ? start : at;
      if (to - start >= min) return { is: 'secret', from, to, skip: skipRun(run) };
      return isOpen ? { is: 'open', likely: to - start >= LIKELY_UNITS, from } : NO;
    },
  };
}

const ALPHANUMERIC: Run = { units: /[A-Za-z0-9]*/y };
const isInWord = (text: string, at: number, isBehindSecret: boolean): boolean =>
  at > 0 && !isBehindSecret && /[A-Za-z0-9]/.test(text[at - 1]!);

/** A token's class (RFC 6750). */
const TOKEN: Run = { units: /[A-Za-z0-9_~+/=-]*/y, joint: '.' };
const BLANKS: Run = { units: /[ \t]*/y };
const MAX_BLANKS = 4;

/** "Bearer" and a token: of 20 units, or of 8 with a digit; "bearer of bad news" is none. */
const bearer: Rule = {
  kind: 'bearer',
  triggers: ['bearer'],
  ignoresCase: true,
  keepsTrigger: true,
  match(text, at, trigger, isEnd, isBehindSecret) {
    if (isInWord(text, at, isBehindSecret)) return NO;
    const blanks = endOfRun(BLANKS, text, at + trigger.length, isEnd);
    const from = blanks.to;
    const count = from - at - trigger.length;
    if (count > MAX_BLANKS) return NO;
    if (blanks.isOpen) return { is: 'open', likely: false, from };
    if (count === 0) return NO;
    const { to, isOpen } = endOfRun(TOKEN, text, from, isEnd);
    const units = to - from;
    // Only of its first 20 units, lest the answer change with what follows.
    const isSecret = units >= 20 || (units >= 8 && /\d/.test(text.slice(from, to)));
    if (isSecret) return { is: 'secret', from, to, skip: skipRun(TOKEN) };
    return isOpen ? { is: 'open', likely: units >= LIKELY_UNITS, from } : NO;
  },
};

const BASE64_URL: Run = { units: /[A-Za-z0-9_-]*/y };
const JWT: Run = { ...BASE64_URL, joint: '.' };
const MAX_JWT_HEADER = 2_048;

/**
 * `{"` in base64url, a header's rest, a dot, and a payload's beginning. Of a token with a longer header only that is
 * shown: its payload begins with `eyJ` too.
 */
const jwt: Rule = {
  kind: 'jwt',
  triggers: ['eyJ'],
  match(text, at, trigger, isEnd) {
    // No more than a header may have is looked at.
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

const SK: Run = { units: /[A-Za-z0-9_-]*/y };

/**
 * `sk-…` of OpenAI and Anthropic: from 16 units with a digit, or 16 without a hyphen, or 48. Inside a word ("task-…")
 * it takes 20 letters and digits with a digit among them.
 */
const sk: Rule = {
  kind: 'sk',
  triggers: ['sk-'],
  match(text, at, trigger, isEnd, isBehindSecret) {
    const start = at + trigger.length;
    const isInside = isInWord(text, at, isBehindSecret);
    const { to, isOpen } = endOfRun(isInside ? ALPHANUMERIC : SK, text, start, isEnd);
    const units = to - start;
    const seen = text.slice(start, Math.min(to, start + 48));
    const isSecret = isInside
      ? units >= 20 && /\d/.test(seen)
      : units >= 48 || (units >= 16 && (/\d/.test(seen) || /[A-Za-z0-9_]{16}/.test(seen)));
    if (isSecret) return { is: 'secret', from: at, to, skip: skipRun(SK) };
    if (isInside && units >= 48) return NO;
    return isOpen ? { is: 'open', likely: !isInside && units >= LIKELY_UNITS, from: at } : NO;
  },
};

/** What may stand between a key's name and its value: `": "`, ` = `, `\": \"`, `>`. */
const SEPARATORS: Run = { units: /["'`\\\s:=>]*/y };
const MAX_SEPARATORS = 12;
const BASE64: Run = { units: /[A-Za-z0-9/+=]*/y };

/** A secret access key looks like nothing in particular: only its name gives it away. */
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
    if (from - start > MAX_SEPARATORS) return NO;
    if (separators.isOpen) return { is: 'open', likely: false, from };
    if (from === start) return NO;
    const { to, isOpen } = endOfRun(BASE64, text, from, isEnd);
    if (to - from >= 16) return { is: 'secret', from, to, skip: skipRun(BASE64) };
    return isOpen ? { is: 'open', likely: to - from >= LIKELY_UNITS, from } : NO;
  },
};

/** What an authority (RFC 3986) is written in, and what people put into passwords. */
const AUTHORITY: Run = { units: /[!$-.0-;=A-[\]^_a-~@]*/y };
const MAX_AUTHORITY = 512;

/** `user:password@` behind `://`, up to the last `@` of the authority. */
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
    // A longer one has come to no end yet: what it has is taken as it is.
    if (to > MAX_AUTHORITY || !isOpen) {
      if (colon < 0 || ats < colon + 2) return NO;
      return { is: 'secret', from, to: from + ats };
    }
    // A port at most, so far, is nothing to hide.
    const likely = colon >= 0 && !/^\d{0,5}$/.test(authority.slice(colon + 1));
    return { is: 'open', likely, from };
  },
};

/** The rules that are on by default. */
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
