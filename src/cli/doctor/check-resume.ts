// Checks that a cursor reaches the server: reads the first event of an execution, and reconnects after it.
import { parseCursor } from '../../event/cursor.ts';
import type { ExecutionKind } from '../../event/events.ts';
import { executionPath } from '../execution-arguments.ts';
import type { Finding, Target } from './finding.ts';
import { openRaw, type RawResponse } from './raw-request.ts';

const check = 'resume';
const WAIT_MS = 5_000;

interface Listed {
  readonly data?: { executions: { edges: { node: { id: string; kind: Uppercase<ExecutionKind> } }[] } };
}

export async function checkResume(target: Target): Promise<Finding[]> {
  const { url, token } = target;
  const authorization: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {};
  const query = encodeURIComponent('{ executions(first: 1) { edges { node { id kind } } } }');
  using list = await openRaw(`${url}/graphql?query=${query}`, {
    headers: { accept: 'application/json', ...authorization },
  });
  const node = list?.status === 200 ? newest(await list.body()) : undefined;
  if (!node) {
    const message = 'there is no execution that could be read; run one and check again';
    return [{ check, verdict: 'skipped', message }];
  }
  const path = executionPath(node.kind.toLowerCase() as ExecutionKind, node.id);
  const open = (headers: Record<string, string>) =>
    openRaw(`${url}${path}/stream`, {
      headers: { accept: 'text/event-stream', ...authorization, ...headers },
      timeoutMs: WAIT_MS,
    });
  using first = await open({});
  const cursor = await firstCursor(first);
  if (cursor === undefined) {
    return [{ check, verdict: 'skipped', message: `no event of ${node.id} arrives (see streaming)` }];
  }
  using resumed = await open({ 'last-event-id': cursor });
  const next = await firstCursor(resumed);
  return [resumeFinding(cursor, resumed?.status, next)];
}

function newest(body: string): { id: string; kind: Uppercase<ExecutionKind> } | undefined {
  try {
    return (JSON.parse(body) as Listed).data?.executions.edges[0]?.node;
  } catch {
    return undefined;
  }
}

const ID = /^id: ?(\S+)$/m;

/** The id of the first message; undefined if none arrives. */
async function firstCursor(response: RawResponse | undefined): Promise<string | undefined> {
  if (response?.status !== 200) return undefined;
  await response.until(() => ID.test(response.text), WAIT_MS);
  return ID.exec(response.text)?.[1];
}

/**
 * @param cursor of the first event
 * @param status of the request after it
 * @param next the id of that request's first message
 */
export function resumeFinding(cursor: string, status: number | undefined, next: string | undefined): Finding {
  const ok = (message: string): Finding => ({ check, verdict: 'ok', message });
  if (status === 204) return ok('a request with the last cursor gets 204');
  if (status !== 200) {
    return { check, verdict: 'problem', message: `a request with a cursor gets status ${status ?? 'none'}` };
  }
  if (next === undefined) return ok('a request with a cursor gets no event again');
  if (parseCursor(next).seq > parseCursor(cursor).seq)
    return ok('a request with a cursor gets the events after it');
  return {
    check,
    verdict: 'problem',
    message: 'a request with a cursor gets the events before it again',
    advice: 'a proxy removes the Last-Event-ID header; let it pass (some allow only listed headers)',
  };
}
