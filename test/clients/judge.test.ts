// The cells of the table: each kind of loss has its own.
import { describe, expect, test } from 'vitest';
import { allowed, type Client, type End, judge, type Seen } from './clients.ts';

const [START, TEXT, END]: Seen[] = [
  { id: '1-a', type: 'agent_start' },
  { id: '2-a', type: 'llm_chunk', content: ' x' },
  { id: '3-a', type: 'complete' },
];
const EXPECTED = [START!, TEXT!, END!];

describe('a run', () => {
  test.each<[cell: string, end: End, seen: Seen[]]>([
    ['ok', 'complete', EXPECTED],
    ['error shown', 'error', [START!]],
    ['HANGS', 'open', EXPECTED],
    ['SILENT END', 'complete', [START!, TEXT!]],
    ['1 missing', 'complete', [START!, END!]],
    ['2 duplicates', 'complete', [START!, TEXT!, ...EXPECTED]],
    ['wrong text', 'complete', [START!, { ...TEXT!, content: 'x' }, END!]],
    ['wrong text', 'complete', [TEXT!, START!, END!]],
  ])('is %s if it ends with %s', (cell, end, seen) => {
    expect(judge(seen, end, EXPECTED)).toBe(cell);
  });
});

test.each<[Client['reconnecting'], string, string[], string[]]>([
  ['resumes', 'rotation', ['ok'], ['1 duplicates', 'error shown', 'SILENT END']],
  ['replays', 'rotation', ['ok', '12 duplicates'], ['1 missing', 'error shown', 'SILENT END']],
  [
    'replays or error',
    'rotation',
    ['ok', '12 duplicates', 'error shown'],
    ['1 missing', 'SILENT END', 'HANGS'],
  ],
  ['error', 'rotation', ['error shown'], ['ok', '1 missing', 'SILENT END', 'HANGS']],
  ['error', 'whole run', ['ok'], ['error shown']],
])('a client that %s after a %s may have %j only', (reconnecting, scenario, good, bad) => {
  const pattern = allowed({ name: 'a client', reconnecting, watch: async () => {} }, scenario);
  for (const cell of good) expect(cell).toMatch(pattern);
  for (const cell of bad) expect(cell).not.toMatch(pattern);
});
