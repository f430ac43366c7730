// Checks whether pages of an origin may use the server, as a browser would: with a preflight, then with the request.
import type { IncomingHttpHeaders } from 'node:http';
import type { Finding, Target } from './finding.ts';
import { openRaw } from './raw-request.ts';

const check = 'cors';
/** What pages send beyond the headers that need no permission. */
const REQUEST_HEADERS = ['authorization', 'content-type', 'last-event-id'];

/** What responses to a page have shown. */
export interface CorsMeasurement {
  readonly origin: string;
  readonly preflightStatus: number | undefined;
  readonly preflight: IncomingHttpHeaders;
  readonly response: IncomingHttpHeaders;
}

export async function checkCors({ url, origin }: Target): Promise<Finding[]> {
  if (origin === undefined) {
    return [
      { check, verdict: 'skipped', message: 'pass --origin to check whether the pages of a site may use it' },
    ];
  }
  if (origin === new URL(url).origin) {
    return [
      {
        check,
        verdict: 'ok',
        message: `${origin} is the origin of the server, so its pages need no permission`,
      },
    ];
  }
  using preflight = await openRaw(`${url}/graphql`, {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': REQUEST_HEADERS.join(','),
    },
  });
  using response = await openRaw(`${url}/health/live`, { headers: { origin } });
  return [
    corsFinding({
      origin,
      preflightStatus: preflight?.status,
      preflight: preflight?.headers ?? {},
      response: response?.headers ?? {},
    }),
  ];
}

export function corsFinding({ origin, preflightStatus, preflight, response }: CorsMeasurement): Finding {
  const problem = (message: string, advice: string): Finding => ({
    check,
    verdict: 'problem',
    message,
    advice,
  });
  const allowed = [preflight, response].map((headers) => headers['access-control-allow-origin']);
  if (allowed.some((value) => value?.includes(','))) {
    return problem(
      `responses allow several origins together (${allowed.find((value) => value?.includes(','))}), which browsers reject`,
      'both the server and a proxy add CORS headers; remove those of the proxy',
    );
  }
  const [ofPreflight, ofResponse] = allowed.map((value) => value === origin || value === '*');
  if (!ofPreflight && !ofResponse) {
    const configured = `set CORS_ORIGINS=${origin} for the server`;
    return problem(
      `pages of ${origin} may not use the server`,
      `${configured} (with those that it has already)`,
    );
  }
  if (!ofPreflight) {
    return problem(
      `a preflight for ${origin} gets status ${preflightStatus ?? 'none'} without permission`,
      'a proxy responds to OPTIONS; let it pass these requests to the server',
    );
  }
  if (!ofResponse) {
    return problem(
      `a preflight allows ${origin}, but the response to the request does not`,
      'a proxy responds to OPTIONS, or removes headers; leave CORS to the server (CORS_ORIGINS)',
    );
  }
  const headers = `${preflight['access-control-allow-headers'] ?? ''}`.toLowerCase();
  const missing = REQUEST_HEADERS.filter((name) => !headers.includes(name));
  if (missing.length > 0) {
    return problem(
      `pages of ${origin} may not send ${missing.join(', ')}`,
      'a proxy responds to OPTIONS; let it pass these requests to the server',
    );
  }
  return { check, verdict: 'ok', message: `pages of ${origin} may use the server` };
}
