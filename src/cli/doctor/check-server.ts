// Checks of the server itself: whether it is there, its version, its parts, its clock, and authentication.
import { ExecstreamError } from '../../event/errors.ts';
import { isLoopbackHost } from '../../server/auth/loopback.ts';
import { VERSION } from '../../telemetry/version.gen.ts';
import type { Finding, Target } from './finding.ts';
import { openRaw } from './raw-request.ts';

/** A difference that does not matter for tokens. */
const MAX_SKEW_MS = 5_000;

/**
 * Checks that an execstream server responds, and its version.
 * @throws ExecstreamError `CONFIG` if something else responds
 */
export async function checkVersion({ url }: Target): Promise<Finding[]> {
  using response = await openRaw(`${url}/openapi.json`);
  if (!response) throw new ExecstreamError('CONFIG', `cannot reach ${url}: no response within 10 s`);
  const body = await response.body();
  const version = versionOf(body);
  if (response.status !== 200 || version === undefined) {
    const by = response.headers.server ? ` by ${response.headers.server}` : '';
    const got = `status ${response.status}${by} for /openapi.json`;
    throw new ExecstreamError('CONFIG', `${url}: expected an execstream server, got ${got}`);
  }
  const message = `execstream ${version}${viaOf(response.headers)}`;
  if (version === VERSION) return [{ check: 'server', verdict: 'ok', message }];
  const advice = `this command is ${VERSION}; use the same version for the best diagnosis`;
  return [{ check: 'server', verdict: 'warning', message, advice }];
}

function versionOf(body: string): string | undefined {
  try {
    const { info } = JSON.parse(body) as { info?: { title?: string; version?: string } };
    return info?.title === 'execstream' ? info.version : undefined;
  } catch {
    return undefined;
  }
}

function viaOf(headers: { readonly server?: string | undefined; readonly via?: string | undefined }): string {
  const names = [headers.server, headers.via].filter(Boolean).join(', ');
  return names ? `, through ${names}` : '';
}

/** Checks that the parts of the server work. */
export async function checkReadiness({ url }: Target): Promise<Finding[]> {
  using response = await openRaw(`${url}/health/ready`);
  const body = (await response?.body()) ?? '';
  if (response?.status === 200)
    return [{ check: 'parts', verdict: 'ok', message: 'the log and the database work' }];
  const message = `not ready: ${response ? `status ${response.status} ${body.slice(0, 300)}` : 'no response'}`;
  return [{ check: 'parts', verdict: 'problem', message, advice: 'see the log of the server' }];
}

/** Compares the clocks by the `Date` header, which has whole seconds. */
export async function checkClock({ url }: Target): Promise<Finding[]> {
  const sentAt = Date.now();
  using response = await openRaw(`${url}/health/live`);
  const receivedAt = Date.now();
  const date = Date.parse(response?.headers.date ?? '');
  if (Number.isNaN(date)) {
    return [{ check: 'clock', verdict: 'skipped', message: 'responses have no Date header' }];
  }
  return [clockFinding(date, sentAt, receivedAt)];
}

/** @param date of the server, cut to a second */
export function clockFinding(date: number, sentAt: number, receivedAt: number): Finding {
  const earliest = date - receivedAt;
  const latest = date + 999 - sentAt;
  // 0 if both are possible.
  const skewMs = Math.max(earliest, 0) + Math.min(latest, 0);
  if (Math.abs(skewMs) <= MAX_SKEW_MS) {
    return { check: 'clock', verdict: 'ok', message: 'the clocks of client and server agree' };
  }
  const seconds = Math.round(Math.abs(skewMs) / 1_000);
  return {
    check: 'clock',
    verdict: 'warning',
    message: `the clock of the server is ${seconds} s ${skewMs > 0 ? 'fast' : 'slow'}, compared with this machine`,
    advice: 'synchronise both with NTP: tokens may be rejected as expired, or as not valid yet',
  };
}

const QUERY = `/graphql?query=${encodeURIComponent('{ executions(first: 1) { edges { node { id } } } }')}`;

/** Checks whether the server requires a token, and accepts this one. */
export async function checkAuthentication({ url, token }: Target): Promise<Finding[]> {
  const statusOf = async (headers: Record<string, string>) => {
    using response = await openRaw(`${url}${QUERY}`, { headers: { accept: 'application/json', ...headers } });
    return response?.status;
  };
  const without = await statusOf({});
  const isRequired = without === 401;
  const check = 'authentication';
  if (token === undefined) {
    if (!isRequired) return [openFinding(url)];
    return [
      {
        check,
        verdict: 'problem',
        message: 'the server requires a token',
        advice: 'set --token or EXECSTREAM_TOKEN; without a token, streams cannot be checked',
      },
    ];
  }
  const status = await statusOf({ authorization: `Bearer ${token}` });
  if (status === 200) {
    const message = isRequired
      ? 'the token is accepted'
      : 'the server requires no token, and ignores this one';
    return [{ check, verdict: isRequired ? 'ok' : 'warning', message }];
  }
  const advice =
    status === 401
      ? 'check its expiry, AUTH_ISSUER, AUTH_AUDIENCE and the key of the server; a proxy may remove the Authorization header'
      : 'the token may lack the scope "read"';
  return [
    { check, verdict: 'problem', message: `the token is rejected with status ${status ?? 'none'}`, advice },
  ];
}

function openFinding(url: string): Finding {
  const check = 'authentication';
  const message = 'the server requires no token';
  if (isLoopbackHost(new URL(url).host)) return { check, verdict: 'ok', message };
  const advice =
    'everyone who reaches this address can read all executions: configure authentication (AUTH_…)';
  return { check, verdict: 'warning', message, advice };
}
