// Waits for the heartbeats of an idle stream: whether something closes it in between. This takes up to two heartbeats.
import type { Finding, Target } from './finding.ts';
import { openLiveStream, RejectedProbe } from './live-stream.ts';

/** The default of clients, whose watchdog ends a connection after 2.5 heartbeats without a byte. */
const CLIENT_HEARTBEAT_MS = 15_000;
const HEARTBEATS = 2;
const MAX_WAIT_MS = 90_000;

/** What an idle stream has shown. */
export interface IdleMeasurement {
  /** The times between heartbeats, in ms; the first since the stream was opened. */
  readonly intervalsMs: readonly number[];
  /** When the stream ended, in ms after the last bytes; undefined if it stayed open. */
  readonly endedAfterMs: number | undefined;
}

export async function checkIdle(target: Target): Promise<Finding[]> {
  try {
    return [idleFinding(await measure(target))];
  } catch (error) {
    if (!(error instanceof RejectedProbe)) throw error;
    return [{ check: 'idle', verdict: 'skipped', message: `the server rejects a stream: ${error.message}` }];
  }
}

async function measure(target: Target): Promise<IdleMeasurement> {
  using stream = await openLiveStream(target, 5_000);
  const { response } = stream;
  if (!response) return { intervalsMs: [], endedAfterMs: undefined };
  await response.until(() => response.text !== '', 5_000);
  const intervalsMs: number[] = [];
  const deadline = performance.now() + MAX_WAIT_MS;
  let lastAt = performance.now();
  while (intervalsMs.length < HEARTBEATS && performance.now() < deadline) {
    const { length } = response.text;
    const hasMore = await response.until(() => response.text.length > length, deadline - performance.now());
    const now = performance.now();
    if (!hasMore) return { intervalsMs, endedAfterMs: response.end ? now - lastAt : undefined };
    intervalsMs.push(now - lastAt);
    lastAt = now;
  }
  return { intervalsMs, endedAfterMs: undefined };
}

const seconds = (ms: number) => `${Math.round(ms / 100) / 10} s`;

export function idleFinding({ intervalsMs, endedAfterMs }: IdleMeasurement): Finding {
  const check = 'idle';
  if (endedAfterMs !== undefined) {
    return {
      check,
      verdict: 'problem',
      message: `something closes a stream after ${seconds(endedAfterMs)} without a message`,
      advice:
        'raise the read timeout of the proxy or load balancer above HEARTBEAT_MS (nginx: proxy_read_timeout), or lower' +
        ' HEARTBEAT_MS of the server',
    };
  }
  const longest = Math.max(...intervalsMs);
  if (intervalsMs.length === 0) {
    return {
      check,
      verdict: 'problem',
      message: `no heartbeat arrives within ${seconds(MAX_WAIT_MS)}`,
      advice: 'a proxy buffers them, or HEARTBEAT_MS of the server is too long',
    };
  }
  const message = `heartbeats arrive every ${seconds(longest)}, and the stream stays open`;
  if (longest <= CLIENT_HEARTBEAT_MS * 2) return { check, verdict: 'ok', message };
  const advice = `set heartbeatMs: ${Math.round(longest / 1_000) * 1_000} in clients, which otherwise reconnect after 37.5 s`;
  return { check, verdict: 'warning', message, advice };
}
