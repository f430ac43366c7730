// Text and JSON that programs often fail to handle, for all kinds of input.
import fc from 'fast-check';

const NASTY = [
  '',
  ' ',
  '.',
  '..',
  '\0',
  '%',
  '%00',
  '%zz',
  '%252e%252e%252f',
  '../../../../etc/passwd',
  '%2e%2e%2f%2e%2e%2fetc%2fpasswd',
  '..%5c..%5c',
  '%c0%ae%c0%ae/',
  '%ff%fe',
  '%u0041',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'null',
  'undefined',
  'NaN',
  'true',
  '-0',
  '1e999',
  '9007199254740993',
  "' OR '1'='1",
  "'; DROP TABLE execution; --",
  '$(id)',
  '{{7*7}}',
  '<script>alert(1)</script>',
  '*',
  '{acme-live}',
  '\u202e\u2066',
  '\u2028\u2029',
  '\ufeff',
  '\ud800',
  '\udfff',
  'ﷺ'.repeat(40),
  'a\u0301'.repeat(60),
  '👩‍👩‍👧‍👦',
  'İıſK',
];

/** Mostly short texts of any characters, and occasionally very long ones. */
export const hostileText: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...NASTY) },
  { weight: 3, arbitrary: fc.string({ maxLength: 30 }) },
  { weight: 3, arbitrary: fc.string({ unit: 'binary', maxLength: 30 }) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom('a', '%', '漢', '\0', '9'), fc.integer({ min: 200, max: 3_000 }))
      .map(([letter, times]) => letter.repeat(times)),
  },
);

/** Encodes a text as the UTF-8 bytes of a header value, and returns whether HTTP forbids it. */
export function asHeader(text: string): { value: string; isBroken: boolean } {
  const value = Buffer.from(text).toString('latin1');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: HTTP forbids these characters.
  return { value, isBroken: /[\0-\x08\x0a-\x1f\x7f]/.test(value) };
}

export const queryValue = hostileText.chain((text) =>
  // Encoded correctly, not at all, and twice.
  fc.constantFrom(encode(text), raw(text), encode(encode(text))),
);

/** Percent-encodes a text. Lone surrogates cannot be encoded, so they become deliberately malformed escapes. */
export function encode(text: string): string {
  try {
    return encodeURIComponent(text);
  } catch {
    return '%ED%A0%80';
  }
}

/** The text unencoded, except for characters that would end the request line. */
export function raw(text: string): string {
  return Buffer.from(text)
    .toString('latin1')
    .replace(/[\0-\x20\x7f]/g, '+');
}

const DEPTHS = [100, 1_000, 20_000, 100_000];
const nested = (open: string, close: string) =>
  fc.constantFrom(...DEPTHS).map((depth) => `${open.repeat(depth)}1${close.repeat(depth)}`);

/** JSON as text, and texts that only look like it. */
export const hostileJson: fc.Arbitrary<string> = fc.oneof(
  { weight: 8, arbitrary: fc.json() },
  { weight: 4, arbitrary: hostileText },
  {
    weight: 6,
    arbitrary: fc.constantFrom(
      '{"__proto__":{"isAdmin":true}}',
      '{"constructor":{"prototype":{"isAdmin":true}}}',
      '{"events":[],"events":[1]}',
      '{"a":1e999,"b":-1e999,"c":1E400}',
      '{"a":0.1e-400,"b":123456789012345678901234567890}',
      '"\\ud800"',
      '{"\\udfff":"\\ud800\\ud800"}',
      '\ufeff{}',
      '{"a":NaN}',
      "{'a':1}",
      '{"a":1,}',
      '[1,2',
      '/* */ {}',
      '{"a":"\t"}',
      '"\0"',
      'null',
      '[]',
      '0',
      '',
    ),
  },
  { weight: 1, arbitrary: fc.oneof(nested('[', ']'), nested('{"a":', '}'), nested('[{"a":', '}]')) },
);

/** Any JSON value, with malicious keys and texts. */
export const hostileValue: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 3, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
  {
    weight: 2,
    arbitrary: fc.constantFrom<unknown>(null, true, -1, 0, 1.5, 2 ** 53, -(2 ** 31), [], {}, [[]], [null]),
  },
  { weight: 2, arbitrary: hostileText },
);
