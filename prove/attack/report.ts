// The effect of the attacks on the victim and on the server, and the limits that they broke.
import { formatTable } from '../../bench/report/tables.ts';
import type { Limits } from './options.ts';
import type { AttackResult } from './run.ts';

/** The time between two events of the victim's stream. */
const CADENCE_MS = 50;
/** Above it, the machine is too busy for latencies to be meaningful. */
const MAX_STARVED_PERCENT = 50;

/** The problems of a result, one sentence each; empty if every limit held. */
export function broken(result: AttackResult, limits: Limits): string[] {
  const { measured, peakRssMiB, isDead, responses, findings } = result;
  const problems = [...findings];
  if (isDead) problems.push('the server died');
  if (peakRssMiB > limits.rssMiB) problems.push(`peak RSS ${peakRssMiB} MiB`);
  for (const [how, count] of Object.entries(responses)) {
    if (/^(5(?!03)\d\d|200 INTERNAL)$/.test(how)) problems.push(`${count} × ${how}`);
  }
  if (!measured) return [...problems, 'the victim did not report'];
  const { live, stream, calls, ownDelayMs } = measured;
  // The time that the victim's own process waited for a processor does not count.
  const share = ownShare(result);
  const liveMs = (live.maxMs - ownDelayMs) * share;
  const pauseMs = (stream.longestPauseMs - ownDelayMs - CADENCE_MS) * share;
  if (liveMs > limits.liveMs) problems.push(`/health/live took ${live.maxMs} ms`);
  if (live.failed > 0) problems.push(`/health/live failed ${live.failed} times`);
  if (pauseMs > limits.pauseMs) problems.push(`the victim's stream paused for ${stream.longestPauseMs} ms`);
  if (calls.failed > 0)
    problems.push(
      `${calls.failed} of the victim's calls failed (${counts(measured.rejections) || 'no response'})`,
    );
  return problems;
}

/**
 * The share of a latency that counts. If the server had no processor for most of the time, other work on the
 * machine determines all durations, and only the server's own share is judged.
 */
function ownShare({ starvedPercent = 0 }: AttackResult): number {
  return starvedPercent > MAX_STARVED_PERCENT ? 1 - starvedPercent / 100 : 1;
}

export function describe(results: readonly AttackResult[], limits: Limits): string {
  const head = [
    ...['attack', 'live p99', 'max ms', 'stream', 'pause ms', 'calls p99', 'max ms', 'failed'],
    ...['own ms', 'starved %', 'RSS MiB', 'verdict', 'responses to the attacker'],
  ];
  const lines = results.map((result) => {
    const { id, title, measured, peakRssMiB, isDead, responses } = result;
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
    return [`${id} ${title}`, ...numbers, starved, peakRssMiB, verdict, counts(responses)].map(String);
  });
  const wrong = results.flatMap((result) => broken(result, limits).map((what) => `  ${result.id}: ${what}`));
  return [
    formatTable({ title: 'Attacks', head, lines }),
    ...(wrong.length > 0 ? ['', 'BROKEN', ...wrong] : []),
  ].join('\n');
}

function counts(of: Readonly<Record<string, number>>): string {
  const shown = Object.entries(of).sort(([, a], [, b]) => b - a);
  return shown.map(([name, count]) => `${name} ${count}`).join(', ');
}
