// The verdict on an attack names every limit that was broken, and nothing else.
import { expect, test } from 'vitest';
import { chooseAttacks } from '../../prove/attack/attacks/all.ts';
import type { Measured } from '../../prove/attack/messages.ts';
import { parseOptions } from '../../prove/attack/options.ts';
import { createProbe } from '../../prove/attack/probe.ts';
import { broken } from '../../prove/attack/report.ts';
import type { AttackResult } from '../../prove/attack/run.ts';

const CALM: Measured = {
  live: { count: 100, failed: 0, p99Ms: 10, maxMs: 20 },
  calls: { count: 40, failed: 0, p99Ms: 20, maxMs: 30 },
  rejections: {},
  stream: { received: 200, expected: 200, longestPauseMs: 60, reconnects: 0 },
  ownDelayMs: 10,
};
const { limits } = parseOptions([]);

function judged(measured: Partial<Measured>, more: Partial<AttackResult> = {}): string {
  const result = { id: '5a', title: 't', peakRssMiB: 350, isDead: false, starvedPercent: 10, responses: {} };
  const all = { ...result, findings: [], measured: { ...CALM, ...measured }, ...more };
  return broken(all, limits).join('; ');
}

test('a server that stays responsive breaks no limit, whichever requests of the attacker it rejects', () => {
  expect(judged({}, { responses: { 200: 5, 413: 100, 429: 3, 503: 1, ECONNRESET: 2 } })).toBe('');
});

test.each<[title: string, found: RegExp, Partial<Measured>, Partial<AttackResult>?]>([
  ['a slow health check', /live took 600 ms/, { live: { ...CALM.live, maxMs: 600 } }],
  ['a failed health check', /live failed 1 times/, { live: { ...CALM.live, failed: 1 } }],
  ['a paused stream', /paused for 1200 ms/, { stream: { ...CALM.stream, longestPauseMs: 1_200 } }],
  [
    'a rejected call of the victim',
    /1 of the victim's calls failed \(503 1\)/,
    { calls: { ...CALM.calls, failed: 1 }, rejections: { 503: 1 } },
  ],
  ['a server that died', /died/, {}, { isDead: true }],
  ['a server that grew', /peak RSS 601 MiB/, {}, { peakRssMiB: 601 }],
  ['an internal error sent to the attacker', /2 × 500/, {}, { responses: { 500: 2 } }],
  ['a GraphQL error with the code INTERNAL', /1 × 200 INTERNAL/, {}, { responses: { '200 INTERNAL': 1 } }],
  ['a problem that the attack itself found', /streams outlived/, {}, { findings: ['9 streams outlived'] }],
  ['a victim that did not report', /did not report/, {}, { measured: undefined }],
])('%s breaks a limit', (_, found, measured, more) => {
  expect(judged(measured, more)).toMatch(found);
});

test('a latency counts by the share of the server if the machine is busy with other work', () => {
  const live = { ...CALM.live, maxMs: 2_000 };
  expect(judged({ live }, { starvedPercent: 90 })).toBe('');
  expect(judged({ live }, { starvedPercent: 60 })).toMatch(/live took/);
});

test('attacks are selected by number or id, and an unknown one is reported', () => {
  expect(chooseAttacks(['10', '7b']).map(({ id }) => id)).toEqual(['7b', '10a', '10c', '10b']);
  expect(chooseAttacks(undefined).length).toBeGreaterThan(20);
  expect(() => chooseAttacks(['1'])).toThrow(/--only 1: expected a subset of 0, 5a/);
});

test('a probe counts requests without a response as failed, with the time since they were sent', async () => {
  const probe = createProbe(1_000_000, () => new Promise(() => {}));
  probe.start();
  expect(await probe.stop(30)).toMatchObject({ count: 1, failed: 1 });
});
