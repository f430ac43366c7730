// Checks whether the messages of a stream arrive when they are sent, and what holds them back if they do not.
import type { Finding, Target } from './finding.ts';
import { type LiveStream, openLiveStream, RejectedProbe } from './live-stream.ts';
import { openRaw } from './raw-request.ts';

/** A message that takes longer was held back. Far networks need less. */
const DELAYED_MS = 1_500;
const MESSAGES = 3;

/** What one stream has shown. */
export interface StreamMeasurement {
  /** The coding of the body; undefined if there is none, or no head of the response. */
  readonly coding: string | undefined;
  /** The name of the proxy or server. */
  readonly server: string | undefined;
  readonly contentType: string | undefined;
  /** Whether the head of the response, and the first bytes of the stream, arrived. */
  readonly hasOpened: boolean;
  /** Of each message, in ms; undefined if it did not arrive. */
  readonly delaysMs: readonly (number | undefined)[];
}

/** Measures a stream that may be compressed, and if messages of it do not arrive, one that may not. */
export async function checkStreaming(target: Target): Promise<Finding[]> {
  try {
    const measured = await measure(target);
    const plain = isPrompt(measured) ? undefined : await measure(target, 'identity');
    const server = measured.server ?? (await proxyName(target));
    return streamingFindings({ ...measured, server }, plain);
  } catch (error) {
    if (!(error instanceof RejectedProbe)) throw error;
    return [
      { check: 'streaming', verdict: 'skipped', message: `the server rejects a stream: ${error.message}` },
    ];
  }
}

async function measure(target: Target, encodings?: string): Promise<StreamMeasurement> {
  using stream: LiveStream = await openLiveStream(target, DELAYED_MS * 2, encodings);
  const { response } = stream;
  const hasOpened = (await response?.until(() => response.text !== '', DELAYED_MS)) === true;
  const delaysMs: (number | undefined)[] = [];
  for (let i = 0; i < MESSAGES; i += 1) {
    if (delaysMs.includes(undefined)) break;
    delaysMs.push(response ? await stream.deliver(DELAYED_MS) : undefined);
  }
  return {
    coding: response?.headers['content-encoding']?.toString(),
    server: response?.headers.server?.toString(),
    contentType: response?.headers['content-type'],
    hasOpened,
    delaysMs,
  };
}

/** The head of the stream's response may be held back, too. */
async function proxyName({ url }: Target): Promise<string | undefined> {
  using response = await openRaw(`${url}/health/live`);
  return response?.headers.server?.toString();
}

function isPrompt({ hasOpened, delaysMs }: StreamMeasurement): boolean {
  return hasOpened && delaysMs.every((ms) => ms !== undefined);
}

const NO_COMPRESSION =
  'do not compress text/event-stream (nginx: remove it from gzip_types; Express: filter it in compression())';
const NO_BUFFERING =
  'turn off the buffering of responses for this server. nginx: "proxy_buffering off;", and no' +
  ' "proxy_ignore_headers X-Accel-Buffering"; others: docs/proxies.md';

/**
 * The diagnosis.
 * @param plain a second stream, without compression, if the first one did not work
 */
export function streamingFindings(measured: StreamMeasurement, plain?: StreamMeasurement): Finding[] {
  const check = 'streaming';
  const { coding, server, contentType, delaysMs } = measured;
  if (contentType !== undefined && !/^text\/event-stream\b/.test(contentType)) {
    const message = `expected text/event-stream, got ${contentType}`;
    return [
      { check, verdict: 'problem', message, advice: 'a proxy replaces the response; check its error pages' },
    ];
  }
  const by = server ? ` (${server})` : '';
  if (isPrompt(measured)) {
    const slowest = Math.max(...delaysMs.map((ms) => ms ?? 0));
    const finding: Finding = {
      check,
      verdict: 'ok',
      message: `messages arrive within ${Math.ceil(slowest)} ms`,
    };
    return coding === undefined ? [finding] : [finding, compressed(coding, by)];
  }
  if (plain && isPrompt(plain)) {
    const how = coding === undefined ? '' : ` (${coding})`;
    const message = `a proxy${by} compresses streams${how}, and holds messages back until its compressor has enough of them`;
    return [{ check, verdict: 'problem', message, advice: NO_COMPRESSION }];
  }
  const until = measured.hasOpened ? 'messages do not arrive' : 'not even the first bytes arrive';
  const message = `a proxy${by} buffers streams: ${until} within ${DELAYED_MS / 1_000} s`;
  const findings: Finding[] = [{ check, verdict: 'problem', message, advice: NO_BUFFERING }];
  return coding === undefined ? findings : [...findings, compressed(coding, by)];
}

function compressed(coding: string, by: string): Finding {
  return {
    check: 'compression',
    verdict: 'warning',
    message: `a proxy${by} compresses streams (${coding}), which costs time and memory per stream, and delays messages if it is not flushed`,
    advice: NO_COMPRESSION,
  };
}
