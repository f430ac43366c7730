// Secrets for tests of redaction, generated at run time so that secret scanners find none in the repository.
import fc from 'fast-check';

const of = (alphabet: string, min: number, max: number = min): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...alphabet), minLength: min, maxLength: max });
/** Generated keys of this length have a digit, with few exceptions. */
const keyOf = (alphabet: string, min: number, max: number = min): fc.Arbitrary<string> =>
  of(alphabet, min, max).map((key) => `${key.slice(0, 4)}7${key.slice(5)}`);
const UPPER = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const LOWER = UPPER.toLowerCase();
const DIGITS = '0123456789';
const ALNUM = UPPER + LOWER + DIGITS;
const BASE64URL = `${ALNUM}-_`;

export interface Secret {
  readonly kind: string;
  /** Text before the secret that stays. */
  readonly before: string;
  readonly secret: string;
  /** Text after the secret that stays. */
  readonly after: string;
}

const plain = (kind: string, ...parts: (string | fc.Arbitrary<string>)[]): fc.Arbitrary<Secret> =>
  around(kind, '', parts, '');
function around(
  kind: string,
  before: string,
  parts: (string | fc.Arbitrary<string>)[],
  after: string,
): fc.Arbitrary<Secret> {
  const arbitraries = parts.map((part) => (typeof part === 'string' ? fc.constant(part) : part));
  return fc.tuple(...arbitraries).map((all) => ({ kind, before, secret: all.join(''), after }));
}

const jwtPart = (object: object): string => Buffer.from(JSON.stringify(object)).toString('base64url');
const lines = of(`${ALNUM}+/`, 64).chain((line) =>
  fc.constantFrom('\n', '\r\n', '\\n').map((end) => `${end}${line}${end}${line.slice(9)}=${end}`),
);

export const OWN_LITERAL = ['swordfish', 'of', 'the', 'worker'].join('-');

/** A secret of any kind, in a typical context. */
const anySecret: fc.Arbitrary<Secret> = fc.oneof(
  around(
    'bearer',
    'Authorization: Bearer ',
    [keyOf(`${ALNUM}-_~+/`, 20, 60), fc.constantFrom('', '=', '==')],
    '',
  ),
  around('bearer', 'bearer  ', [of(ALNUM, 8, 12), '7'], ''),
  plain(
    'jwt',
    jwtPart({ alg: 'HS256', typ: 'JWT' }),
    '.',
    jwtPart({ sub: 'a' }),
    of(BASE64URL, 9, 90),
    '.',
    of(BASE64URL, 43),
  ),
  plain('sk', 's', 'k-', keyOf(ALNUM, 20, 48)),
  plain('sk', 's', 'k-proj-', keyOf(BASE64URL, 60, 160)),
  plain('sk', 's', 'k-ant-api03-', keyOf(BASE64URL, 93)),
  plain('aws', fc.constantFrom('AKI', 'ASI'), 'A', of(UPPER + DIGITS, 16)),
  around('aws', 'aws_secret_access_key = ', [of(`${ALNUM}/+`, 40)], ''),
  around('aws', '"SecretAccessKey": "', [of(`${ALNUM}/+`, 40)], '"'),
  plain('github', 'gh', fc.constantFrom('p', 'o', 'u', 's', 'r'), '_', of(ALNUM, 36)),
  plain('github', 'github', '_pat_', of(ALNUM, 22), '_', of(ALNUM, 59)),
  plain('slack', 'xox', fc.constantFrom('b', 'p', 'a', 'r', 's'), '-', of(DIGITS, 11), '-', of(ALNUM, 24)),
  around(
    'slack',
    'https://hooks.slack.com/',
    ['services/T', of(UPPER, 8), '/B', of(UPPER, 8), '/', keyOf(ALNUM, 24)],
    '',
  ),
  around('uri', 'postgres://', [of(LOWER, 0, 9), ':', of(`${ALNUM}!$*.;@`, 8, 20)], '@db.internal:5432/app'),
  plain(
    'privateKey',
    '-----BEGIN ',
    fc.constantFrom('', 'RSA ', 'EC ', 'OPENSSH '),
    'PRIVATE',
    ' KEY-----',
    lines,
    '-----END PRIVATE KEY-----',
  ),
  plain('literal', OWN_LITERAL),
  plain('pattern', 'ACME-', of(DIGITS, 8)),
  plain('pattern', '§', of('abc', 3, 6), '§'),
);

export const OWN = {
  literals: [OWN_LITERAL],
  patterns: [
    { pattern: /\bACME-\d{8}/, maxLength: 14 },
    { pattern: /[§¶][abc]{3,6}§/, maxLength: 8 },
  ],
};

/** Text without secrets, much of which begins like one. */
export const harmless = fc
  .array(
    fc.oneof(
      {
        weight: 3,
        arbitrary: fc.constantFrom(
          'plain words, ',
          'ghp_short ',
          'the task-force ',
          '漢字',
          '😀',
          '\r\n',
          '\n\n',
          ' ',
        ),
      },
      fc.constantFrom(
        'bearer of bad news ',
        'a Bearer token ',
        'eyJ ',
        'https://example.com/a?b=c ',
        'http://localhost:3000 ',
        'mailto:a@b ',
        'git@github.com:a/b ',
        'sk-learn and risk-averse ',
        'AKIA ',
        'the secret access key is hidden ',
        '-----BEGIN CERTIFICATE----- ',
        'xoxb- ',
        `${OWN_LITERAL.slice(0, 12)} `,
        'ACME-123 ',
        '§ab ',
      ),
    ),
    { maxLength: 6 },
  )
  .map((parts) => parts.join(''));

/** A text with secrets, its redacted form, and the secrets. */
export const textWithSecrets = fc
  .array(
    fc.tuple(
      harmless,
      fc.constantFrom(' ', '\n', '"', '(', '，'),
      anySecret,
      fc.constantFrom(' ', '\n', '"', ')', '。', ', '),
    ),
    {
      maxLength: 4,
    },
  )
  .chain((parts) =>
    harmless.map((last) => ({
      text: parts.map(([a, b, s, c]) => a + b + s.before + s.secret + s.after + c).join('') + last,
      redacted: parts.map(([a, b, s, c]) => `${a}${b}${s.before}[redacted]${s.after}${c}`).join('') + last,
      secrets: parts.map(([, , s]) => s),
    })),
  );

/** A text cut into pieces at the given positions. */
export function cutAt(text: string, places: readonly number[]): string[] {
  const cuts = [...new Set(places.map((n) => n % (text.length + 1)))].sort((a, b) => a - b);
  const pieces: string[] = [];
  let from = 0;
  for (const to of [...cuts, text.length]) {
    pieces.push(text.slice(from, to));
    from = to;
  }
  return pieces;
}
