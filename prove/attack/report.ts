// What the attacks did to the victim and to the server, and which limits they broke.
import { printed } from '../../bench/report/tables.ts';
import type { Limits } from './options.ts';
import type { AttackResult } from './run.ts';

/** The time between two events of the victim's stream. */
const CADENCE_MS = 50;
/** Above it, the machine is too busy to take latencies as they are. */
const MAX_STARVED_PERCENT = 50;

/** What is wrong with a result, one sentence each; nothing where every limit held. */
export function broken(result: AttackResult, limits: Limits): string[] {
  const { measured, peakRssMiB, isDead, answers, findings } = result;
  const found = [...findings];
  if (isDead) found.push('the server died');
  if (peakRssMiB > limits.rssMiB) found.push(`peak RSS ${peakRssMiB} MiB`);
  for (const [how, count] of Object.entries(answers)) {
    if (/^(5(?!03)\d\d|200 INTERNAL)$/.test(how)) found.push(`${count} × ${how}`);
  }
  if (!measured) return [...found, 'the victim did not report'];
  const { live, stream, calls, ownDelayMs } = measured;
  // What the victim's own process waited for the processor is not the server's doing.
  const share = ownShare(result);
  const liveMs = (live.maxMs - ownDelayMs) * share;
  const pauseMs = (stream.longestPauseMs - ownDelayMs - CADENCE_MS) * share;
  if (liveMs > limits.liveMs) found.push(`/health/live took ${live.maxMs} ms`);
  if (live.failed > 0) found.push(`/health/live failed ${live.failed} times`);
  if (pauseMs > limits.pauseMs) found.push(`the victim's stream paused for ${stream.longestPauseMs} ms`);
  if (calls.failed > 0)
    found.push(`${calls.failed} of the victim's calls failed (${counts(measured.refusals) || 'no answer'})`);
  return found;
}

/**
 * The part of a latency that counts. Where the server had no processor for most of its time, other work on the machine
 * decides how long everything takes, and only the server's own share is judged.
 */
function ownShare({ starvedPercent = 0 }: AttackResult): number {
  return starvedPercent > MAX_STARVED_PERCENT ? 1 - starvedPercent / 100 : 1;
}

export function describe(results: readonly AttackResult[], limits: Limits): string {
  const head = [
    ...['attack', 'live p99', 'max ms', 'stream', 'pause ms', 'calls p99', 'max ms', 'failed'],
    ...['own ms', 'starved %', 'RSS MiB', 'verdict', 'attacker got'],
  ];
  const lines = results.map((result) => {
    const { id, title, measured, peakRssMiB, isDead, answers } = result;
    const verdict = isDead ? 'DEAD' : broken(result, limits).length > 0 ? 'BROKEN' : 'ok';
    const numbers = measured
      ? [
          ...[measured.live.p99Ms, measured.live.maxMs],
          `${measured.stream.received}/${measured.stream.expected}`,
          ...[
            measured.stream.longestPauseMs,
            measured.calls.p99Ms,
            measured.calls.maxMs,
            measured.calls.failed,
          ],
          measured.ownDelayMs,
        ]
      : Array.from({ length: 8 }, () => '');
    const starved = result.starvedPercent ?? '';
    return [`${id} ${title}`, ...numbers, starved, peakRssMiB, verdict, counts(answers)].map(String);
  });
  const wrong = results.flatMap((result) => broken(result, limits).map((what) => `  ${result.id}: ${what}`));
  return [
    printed({ title: 'Attacks', head, lines }),
    ...(wrong.length > 0 ? ['', 'BROKEN', ...wrong] : []),
  ].join('\n');
}

function counts(of: Readonly<Record<string, number>>): string {
  const shown = Object.entries(of).sort(([, a], [, b]) => b - a);
  return shown.map(([name, count]) => `${name} ${count}`).join(', ');
}
