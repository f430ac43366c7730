// What the built-in rules recognise, and what they leave alone: names, words and identifiers that contain or begin with
// the prefix of a key. Each sample is also cut at every position.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BUILT_IN } from '../../src/redact/built-in.ts';
import { compileRules } from '../../src/redact/compile.ts';
import { createScanner } from '../../src/redact/scanner.ts';

const rules = compileRules(BUILT_IN, []);

function redact(...pieces: readonly string[]): string {
  const scanner = createScanner(rules, () => {});
  return pieces.map((piece) => scanner.add(piece)).join('') + scanner.end();
}

/** Expects the same output for the complete text, for its code units one by one, and for two pieces cut anywhere. */
function expectRedacted(text: string, redacted: string): void {
  expect(redact(text)).toBe(redacted);
  expect(redact(...text)).toBe(redacted);
  for (let cut = 1; cut < text.length; cut += 1) {
    expect([cut, redact(text.slice(0, cut), text.slice(cut))]).toEqual([cut, redacted]);
  }
}

const ULID = '01J9Z3K5V8QW2E4R6T8Y0V1M3P';
const UUID = '550e8400-e29b-41d4-a716-446655440000';
const GIT_HASH = 'da39a3ee5e6b4b0d3255bfef95601890afd80709';
const BASE62 = 'a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8';

// Joined here, so that secret scanners find none in the repository.
const KEYS: readonly (readonly [string, string])[] = [
  ['an OpenAI key', `sk-${BASE62}${BASE62.slice(0, 12)}`],
  ['a project key', `sk-proj-${'aB3_dE5-gH7i'.repeat(10)}`],
  ['a key of Anthropic', `sk-ant-api03-${'Zx9_Yw8-Vu7T'.repeat(8)}AA`],
  ['a key of OpenRouter', `sk-or-v1-${GIT_HASH}${GIT_HASH.slice(0, 24)}`],
  ['a key of 32 hexadecimal digits', `sk-${GIT_HASH.slice(0, 32)}`],
  ['a key that is a UUID', `sk-lf-${UUID}`],
  ['a short random key with a hyphen', `sk-${'q9Xr4ZtB-m3K8vWp7Lc2d'}`],
  ['a key in an example', `sk-${'abcdefghijklmnopqrstuvwxyz'}`],
  ['an id of an AWS access key', `AKIA${'IOSFODNN7EXAMPLE'}`],
  ['a temporary id of an AWS access key', `ASIA${'IOSFODNN7EXAMPLE'}`],
  ['a personal token of GitHub', `ghp_${BASE62}`],
  ['an installation token of GitHub', `ghs_${BASE62}`],
  ['a fine-grained token of GitHub', `github_pat_${BASE62.slice(0, 22)}_${BASE62}${BASE62.slice(0, 23)}`],
  ['a bot token of Slack', `xoxb-${'123456789012'}-${'1234567890123'}-${BASE62.slice(0, 24)}`],
  ['an app token of Slack', `xapp-1-${'A0123BCDEFG'}-${'1234567890123'}-${GIT_HASH}`],
  ['a rotated token of Slack', `xoxe-1-${'My0xLTEyMzQ1Njc4OTAtYWJj'}`],
  ['a JWT', `eyJ${'hbGciOiJIUzI1NiJ9'}.${'eyJzdWIiOiIxIn0'}.${BASE62}`],
];

describe('a key at the start of a word', () => {
  test.each(KEYS)('%s is replaced, wherever the text is cut', (_, key) => {
    expectRedacted(key, '[redacted]');
    expectRedacted(`the key is ${key}, keep it`, 'the key is [redacted], keep it');
  });

  const BEFORE = [
    ...[' ', '\n', '\t', '"', "'", '`', '=', ':', ',', ';', '(', '[', '{', '<', '>', '/', '|', '.', '@', '#'],
    ...['$', '*', '+', '-', '_', '\\', '&', '?', '!', '~', '%', '\u0000', '\u200b', '。', '漢', '키', 'я'],
    // Escape sequences of JSON, of URLs and of terminals end in letters or digits.
    ...['\\n', '\\t', '\\u003d', '\\u0022', '%20', '%3D', '%3d', '%22', '%0A', '%2F', '&quot;'],
    ...['\u001b[32m', '\\u001b[1;31m', '\u001b[38;2;255;255;255m', '\u001b[01;31m\u001b[K'],
  ];

  test.each(BEFORE)('a key after %j is replaced', (before) => {
    for (const [, key] of KEYS) expectRedacted(`x${before}${key} y`, `x${before}[redacted] y`);
  });

  test.each([...'aZ09éŁ', 'e\u0301'])('a key directly after %j is part of a word, and stays', (before) => {
    for (const [, key] of KEYS) {
      if (key.includes('.')) continue; // A payload begins a word after the dot of its header.
      expectRedacted(`${before}${key} y`, `${before}${key} y`);
    }
  });

  test('whether a word continues does not depend on a pause for another event', () => {
    for (const [before, after] of [
      ['de', `sk-${ULID}`],
      ['task-', ULID],
    ]) {
      const scanner = createScanner(rules, () => {});
      expect(scanner.add(before!) + scanner.pause() + scanner.add(after!) + scanner.end()).toBe(
        `${before}${after}`,
      );
    }
    const scanner = createScanner(rules, () => {});
    expect(scanner.add('key=') + scanner.pause() + scanner.add(`sk-${BASE62}`) + scanner.end()).toBe(
      'key=[redacted]',
    );
  });
});

describe('names, words and identifiers', () => {
  const PREFIXES = ['desk-', 'task-', 'risk-', 'disk-', 'flask-', 'mask-', 'Helpdesk-', 'ask-', 'pk-'];
  const IDS = [ULID, ULID.toLowerCase(), UUID, GIT_HASH, BASE62, '2026-11-28T12:30:00.000Z', '1732790400000'];

  test.each(PREFIXES)('an identifier that begins with %s stays', (prefix) => {
    for (const id of IDS) {
      expectRedacted(`${prefix}${id}`, `${prefix}${id}`);
      const text = `{"id":"${prefix}${id}","next":["/${prefix}${id}"]} `;
      expectRedacted(text, text);
      expect(redact(`LIKE '%${prefix}${id}%'`)).toBe(`LIKE '%${prefix}${id}%'`);
    }
  });

  test.each([
    'sk-learn-pipeline-v2-final-model-2026-11-28',
    'sk-learn_pipeline_for_customer_churn_prediction_in_the_european_union_v2',
    'sk-SK-locale-messages-2026-11-28',
    'sk-CustomerChurnPredictionModel-v2',
    'sk-sha256sum-of-the-archive',
    'risk-assessment-of-internationalization-2026',
    'task-force-on-counterrevolutionaries',
    'xoxb-not-a-real-token',
    'xoxb-token-rotation-guide-2026-11-28',
    'https://hooks.slack.com/services/your-webhook-url',
    'github_pat_expiration_notification_schedule',
    'laughs_a1b2c3d4e5f6g7h8i9j0k1',
    'coughp_a1b2c3d4e5f6g7h8i9j0k1',
    'MALAYSIAKIAUTOMOBILEIMPORTS2026',
    'EURASIAPACIFICREGION2026Q4',
    'MKTAYIAKIAQRQISFVKSHFSRQLEERLGLIEVQAPILSRVGDGTQDNLSGAEKAVQ',
    'monkeyJungleExpedition.config',
    'apiKeyJsonWebToken.signature',
    'HeyJudeRemastered2015.flac',
    'a bearer of certificates-and-responsibilities',
    'uses Bearer authentication-and-authorization',
    'the forbearer12345678 token',
    'Bearer: 2',
  ])('%s stays, wherever the text is cut', (text) => {
    expectRedacted(text, text);
    expectRedacted(`see ${text}, please`, `see ${text}, please`);
  });

  test('ids, hashes, encoded content and times of any kind stay', () => {
    const hex = (length: number) =>
      fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length });
    const base64 = fc
      .uint8Array({ minLength: 60, maxLength: 600 })
      .map((bytes) => Buffer.from(bytes).toString('base64'));
    const word = fc.constantFrom(
      'desk',
      'task',
      'risk',
      'disk',
      'ask',
      'kiosk',
      'monkeyJ',
      'ASIA',
      'job',
      'run',
      'x9',
    );
    const id = fc.oneof(
      fc.uuid(),
      fc.ulid(),
      hex(7),
      hex(40),
      base64,
      fc.date({ noInvalidDate: true }).map((at) => at.toISOString()),
    );
    const joint = fc.constantFrom('-', ':', '/', '.', '_');
    fc.assert(
      fc.property(word, joint, id, fc.nat(), (name, between, value, place) => {
        const text = `see "${name}${between}${value}" and ${value}`;
        const cut = place % text.length;
        expect(redact(text)).toBe(text);
        expect(redact(text.slice(0, cut), text.slice(cut))).toBe(text);
      }),
      { numRuns: 500 },
    );
  });
});
