// Checks that an execution id with slashes arrives as it was sent: some proxies decode `%2F` or merge slashes.
import type { Finding, Target } from './finding.ts';
import { openRaw } from './raw-request.ts';

const check = 'paths';
/** An id with an empty segment, which must arrive encoded (PROTOCOL.md, "Execution ids"). */
const ID = 'doctor//check';

export async function checkPaths({ url, token }: Target): Promise<Finding[]> {
  using response = await openRaw(`${url}/api/v0/executions/agents/${encodeURIComponent(ID)}`, {
    headers: { accept: 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
  });
  return [pathFinding(response?.status, (await response?.body()) ?? '')];
}

/** @param body of the response to the request for an execution that does not exist */
export function pathFinding(status: number | undefined, body: string): Finding {
  if (status !== 404 && status !== 400) {
    return {
      check,
      verdict: 'skipped',
      message: `a request for an unknown execution gets status ${status ?? 'none'}`,
    };
  }
  if (body.includes(`no such execution: ${ID}`)) {
    return { check, verdict: 'ok', message: 'ids with slashes arrive as they were sent' };
  }
  return {
    check,
    verdict: 'warning',
    message: 'a proxy changes paths with %2F: a few execution ids cannot be reached',
    advice:
      'pass paths on as they were received (nginx: "proxy_pass http://name;" without a path; Apache: nocanon)',
  };
}
