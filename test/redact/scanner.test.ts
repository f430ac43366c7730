// Redaction of a text that arrives in pieces: the output is the same as for the complete text, however it is cut, and
// only text that could become a secret is held back.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BUILT_IN } from '../../src/redact/built-in.ts';
import { compileRules } from '../../src/redact/compile.ts';
import { literalRule, patternRule } from '../../src/redact/custom-rules.ts';
import { createScanner } from '../../src/redact/scanner.ts';
import { cutAt, harmless, OWN, OWN_LITERAL, textWithSecrets } from './secrets.ts';

const custom = OWN.patterns.map(patternRule);
const builtIn = compileRules(BUILT_IN, []);
const all = compileRules(
  [
    ...BUILT_IN,
    ...OWN.literals.map(literalRule),
    ...custom.flatMap((each) => ('rule' in each ? [each.rule] : [])),
  ],
  custom.flatMap((each) => ('window' in each ? [each.window] : [])),
);
/** Has more code units than the rule for passwords examines. */
const LONG_ADDRESS = /:\/\/[!$-.0-;=A-[\]^_a-~@]{513}/;

function scan(pieces: readonly string[], rules = all) {
  const counts: Record<string, number> = {};
  const scanner = createScanner(rules, (kind) => {
    counts[kind] = (counts[kind] ?? 0) + 1;
  });
  const out = pieces.map((piece) => scanner.add(piece));
  return { text: out.join('') + scanner.end(), out, counts };
}

const places = fc.array(fc.nat(), { maxLength: 12 });

describe('a text in pieces', () => {
  test('secrets are replaced and counted by kind, wherever they are and however the text is cut', () => {
    fc.assert(
      fc.property(textWithSecrets, places, ({ text, redacted, secrets }, cuts) => {
        for (const pieces of [cutAt(text, cuts), text.split('')]) {
          const scanned = scan(pieces);
          expect(scanned.text).toBe(redacted);
          const counts: Record<string, number> = {};
          for (const { kind } of secrets) counts[kind] = (counts[kind] ?? 0) + 1;
          expect(scanned.counts).toEqual(counts);
        }
      }),
      { numRuns: 1_500 },
    );
  });

  test('a text made of beginnings of secrets yields the same output however it is cut', () => {
    const token = fc.constantFrom(
      ...[
        'eyJ',
        'eyJhbGciOi',
        '.',
        '-',
        '_',
        'a',
        'B3',
        'x9'.repeat(12),
        's',
        'k',
        'sk-',
        'ghp_',
        'AKIA',
        'A',
      ],
      ...[
        'bearer',
        ' ',
        'Bearer ',
        '://',
        ':',
        '@',
        '/',
        'user',
        'xoxb-',
        '-----BEGIN ',
        'PRIVATE KEY',
        '-----',
      ],
      ...[
        '-----END ',
        '\n',
        '\\n',
        'Z'.repeat(70),
        'secret_access_key',
        '=',
        '"',
        'hooks.slack.com/',
        '漢',
        '😀',
      ],
      ...['de', 'ta', 'é', 'n', '%3D', '%', '[1;32m', 'u003d', '\\', 'a1B2c3', 'Z'.repeat(16)],
      ...[OWN_LITERAL.slice(0, 5), OWN_LITERAL.slice(5), 'ACME-', '1234', '§', 'abc', 'c§', 'q'.repeat(600)],
    );
    fc.assert(
      fc.property(
        fc.array(token, { maxLength: 30 }).map((t) => t.join('')),
        places,
        (text, cuts) => {
          for (const rules of [all, builtIn]) {
            const complete = scan([text], rules).text;
            expect(scan(cutAt(text, cuts), rules).text).toBe(complete);
            expect(scan(text.split(''), rules).text).toBe(complete);
            // Redacting again changes nothing, except for addresses that have become shorter.
            if (rules === builtIn && !LONG_ADDRESS.test(text))
              expect(scan([complete], rules).text).toBe(complete);
          }
        },
      ),
      { numRuns: 1_500 },
    );
  });
});

describe('a word begins directly after a secret', () => {
  const key = `AKIA${'Z'.repeat(16)}`;
  const other = `sk-${'a1'.repeat(8)}`;

  test.each([
    [`x${other}`, `x${other}`],
    [key + other, '[redacted][redacted]'],
    [OWN_LITERAL + other, '[redacted][redacted]'],
    [`${key}bearer abcdefg12`, '[redacted]bearer [redacted]'],
    ['hunter2_ACME-12345678', '[redacted][redacted]'],
  ])('the text directly after a secret is scanned as the beginning of a word: %s', (text, redacted) => {
    const own = patternRule({ pattern: /\bACME-\d{8}/, maxLength: 13 });
    if (!('rule' in own)) throw new Error('expected a rule: the pattern begins with literal text');
    const rules = compileRules(
      [...BUILT_IN, literalRule(OWN_LITERAL), literalRule('hunter2_'), own.rule],
      [],
    );
    for (const pieces of [[text], text.split(''), [text.slice(0, 20), text.slice(20)]]) {
      expect(scan(pieces, rules).text).toBe(redacted);
    }
  });

  test('a word also begins after text that a pause has replaced', () => {
    const scanner = createScanner(builtIn, () => {});
    expect(scanner.add('AKIAABCDEFGHIJ') + scanner.pause()).toBe('[redacted]');
    expect(scanner.add(`${other} `) + scanner.end()).toBe('[redacted] ');
  });
});

test('an address too long to be examined completely is redacted once it has become shorter', () => {
  const once = scan([`://:sk-${'q'.repeat(600)}@`], builtIn).text;
  expect(once).toBe('://:[redacted]@');
  expect(scan([once], builtIn).text).toBe('://[redacted]@');
});

test.each([
  ['postgres://app:hunter2@[redacted]/db', 'postgres://[redacted]@[redacted]/db'],
  ['https://[redacted]:hunter2@host', 'https://[redacted]@host'],
])('a password next to redacted text is redacted: %s', (text, redacted) => {
  expect(scan([text], builtIn).text).toBe(redacted);
});

test('up to 3 code units of a text without secrets are held back', () => {
  fc.assert(
    fc.property(fc.lorem({ maxCount: 60 }), (text) => {
      const words = text.split(/(?<= )/);
      const { out } = scan(words, builtIn);
      words.forEach((_, i) => {
        const returned = out.slice(0, i + 1).join('').length;
        const added = words.slice(0, i + 1).join('').length;
        expect(added - returned).toBeLessThanOrEqual(3);
      });
    }),
  );
  expect(scan(['漢字かな交じり文は', '空白がない'], builtIn).out).toEqual([
    '漢字かな交じり文は',
    '空白がない',
  ]);
});

test('the text that is held back is limited, whatever follows', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('eyJ', 'sk-', '://a:', 'ghp_', '-----BEGIN PRIVATE KEY-----\n', 'Bearer ', 'swordfis'),
      fc.constantFrom('a', 'a1', ':', '@', '-', '.', ' ', 'eyJ'),
      (begins, unit) => {
        const scanner = createScanner(builtIn, () => {});
        let most = 0;
        let added = 0;
        let returned = 0;
        for (const piece of [begins, ...Array(6_000).fill(unit)]) {
          added += piece.length;
          const out = scanner.add(piece);
          returned = out.includes('[redacted]') ? added : returned + out.length;
          most = Math.max(most, added - returned);
          if (out.includes('[redacted]')) return;
        }
        expect(most).toBeLessThanOrEqual(2_060);
      },
    ),
  );
});

describe('a pause, because another event follows', () => {
  const key = `s${'k-'}${'a1B2'.repeat(10)}`;

  test('a pause holds nothing back, and complete texts between pauses are redacted as usual', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            harmless,
            textWithSecrets.map((t) => t.text),
          ),
          { maxLength: 5 },
        ),
        (texts) => {
          const scanner = createScanner(all, () => {});
          for (const text of texts) {
            // Long enough that no pattern can still match.
            const ended = `${text}. And no more than that.`;
            expect(scanner.add(ended) + scanner.pause()).toBe(scan([ended]).text);
          }
        },
      ),
      { numRuns: 400 },
    );
  });

  test('the two halves of a secret are never both visible, wherever the pauses are', () => {
    const secrets = fc.constantFrom(
      key,
      `gh${'p_'}${'a1B2'.repeat(9)}`,
      OWN_LITERAL,
      'ACME-12345678',
      'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abcdefgh',
    );
    fc.assert(
      fc.property(secrets, places, fc.boolean(), (secret, cuts, inside) => {
        let counted = 0;
        const scanner = createScanner(all, () => {
          counted += 1;
        });
        const text = `${inside ? '（' : 'x '}${secret} y`;
        const out = cutAt(text, cuts).map((piece) => scanner.add(piece) + scanner.pause());
        const shown = out.join('') + scanner.end();
        const [, first, rest] = /^(?:x |（)(.*)\[redacted\](.*)$/s.exec(shown)!;
        expect(secret.startsWith(first!)).toBe(true);
        // Up to the common beginning of its kind and fewer than eight units more (for a JWT, a part of its header).
        expect(first!.length).toBeLessThan(secret.startsWith('eyJ') ? 20 : 13);
        // A dot at the end of a piece may end a sentence.
        expect(rest!.replace(/^\.+/, '')).toBe(' y');
        expect(counted).toBe(1);
      }),
      { numRuns: 1_000 },
    );
  });

  test('a harmless end is visible, and an end that would reveal much of a secret is replaced', () => {
    const paused = (text: string): string => {
      const scanner = createScanner(all, () => {});
      return scanner.add(text) + scanner.pause();
    };
    for (const text of [
      'the',
      'see http://localhost:8080',
      'at https://example.com',
      'use sk-learn',
      'a bearer',
      'AKIA',
    ])
      expect(paused(text)).toBe(text);
    expect(paused(`it is ${key.slice(0, 12)}`)).toBe('it is [redacted]');
    expect(paused('at redis://me:hunter2')).toBe('at redis://[redacted]');
    expect(paused(OWN_LITERAL.slice(0, 8))).toBe('[redacted]');
  });

  test('text after a replaced end that is not a secret after all stays visible', () => {
    const scanner = createScanner(compileRules([literalRule(OWN_LITERAL)], []), () => {});
    const half = OWN_LITERAL.slice(0, 12);
    expect([scanner.add(half), scanner.pause(), scanner.add('??'), scanner.end()].join('|')).toBe(
      '|[redacted]|??|',
    );
  });
});

describe('the cost of a scan', () => {
  // CPU time, which other processes on a busy machine do not affect. A quadratic scan of these sizes takes much longer.
  const MAX_CPU_MS = 2_000;
  const mb = (unit: string): string => unit.repeat(Math.ceil(2 ** 20 / unit.length)).slice(0, 2 ** 20);

  test.each([
    ['prose', 'It was the best of times, it was the worst of times; the age of wisdom. '],
    ['repeated eyJ', 'eyJ'],
    ['eyJ in lines of 1,500', `${'eyJ'.repeat(500)}\n`],
    ['repeated sk-', 'sk-'],
    ['task-', 'task-'],
    ['://', '://'],
    ['authorities without an end', '://a:b@c:d@e'],
    ['long authorities', `://${'a:'.repeat(250)} `],
    ['bearer', 'bearer '],
    ['PEM headers', '-----BEGIN PRIVATE KEY-----\n'],
    ['PEM bodies', `-----BEGIN PRIVATE KEY-----\n${'A'.repeat(64)}\n-----END `],
    ['dashes', '-'],
    ['separators', 'secret_access_key: = : = : = '],
    ['aaaa', 'a'],
    ['JWTs', `${'eyJhbGciOiJIUzI1NiJ9'}.${'eyJzdWIiOiIxIn0'}.abcdefgh `],
  ])('the cost of a scan is linear for %s', (_, unit) => {
    const text = mb(unit);
    for (const size of [text.length, 40]) {
      const from = process.cpuUsage();
      const scanner = createScanner(builtIn, () => {});
      for (let i = 0; i < text.length; i += size) scanner.add(text.slice(i, i + size));
      scanner.end();
      const { user, system } = process.cpuUsage(from);
      expect((user + system) / 1_000).toBeLessThan(MAX_CPU_MS);
    }
  });
});

describe('custom secrets', () => {
  test.each([['abc'], [''], ['x'.repeat(5_000)], [7]])(
    'a literal that is too short, too long or not a string is rejected: %j',
    (literal) => {
      expect(() => literalRule(literal as string)).toThrow(
        /literals: expected strings of 4 to 4096 code units/,
      );
    },
  );

  test('a pattern without a maximum length, or that is not a RegExp, is rejected', () => {
    expect(() => patternRule({ pattern: /x/ } as never)).toThrow(
      'maxLength of /x/: expected an integer from 1 to 4096, got undefined',
    );
    expect(() => patternRule({ pattern: 'x' as never, maxLength: 1 })).toThrow(
      'patterns: expected a RegExp, got string',
    );
  });

  test('a pattern with a literal beginning becomes a rule that holds text back after that beginning only', () => {
    const acme = patternRule({ pattern: /\bACME-\d{8}/g, maxLength: 14 });
    expect(acme).toMatchObject({ rule: { triggers: ['ACME-'] } });
    expect(patternRule({ pattern: /ab?c/, maxLength: 3 })).toMatchObject({ rule: { triggers: ['a'] } });
    for (const pattern of [/a|b/, /acme/i, /\d+/, /(a)b/]) {
      expect(patternRule({ pattern, maxLength: 3 })).toHaveProperty('window');
    }
  });
});
