// The server's API for publishers without a socket, on a log with faults: requests can also be lost on their way.
import { withTimeout } from '../../src/async/timeout.ts';
import { ExecstreamError, isExecstreamError } from '../../src/event/errors.ts';
import type { ExecutionKind } from '../../src/event/events.ts';
import { ANONYMOUS, allowTenant } from '../../src/execution/permission.ts';
import { createQuotas } from '../../src/execution/quotas.ts';
import type { EventLog } from '../../src/log/log.ts';
import { problemOf } from '../../src/rest/problem.ts';
import { createPublishing } from '../../src/rest/publish-api/handlers.ts';
import { RejectedRequest } from '../../src/rest/request-body.ts';
import type { MemoryStore } from '../support/memory-store.ts';
import type { FaultyLog } from './rig.ts';

/** What becomes of a request. One that is `late` fails, and is processed after a later one. */
export type RequestFault = 'not sent' | 'response lost' | 'no response' | 'late';

export interface SentRequest {
  readonly method: string;
  readonly path: string;
  readonly key: string | null;
  readonly body: string;
}

const PATH = /^\/api\/v0\/executions\/(workflow|agent|task)s\/([^/]+)(\/events)?$/;

/** @param callMs the timeout of one call to the log */
export function createHttpServer(log: FaultyLog, store: MemoryStore, callMs: number) {
  const faults: RequestFault[] = [];
  const requests: SentRequest[] = [];
  let late: Request[] = [];
  const publishing = createPublishing({
    log: withTimeouts(log, callMs),
    store,
    authorize: allowTenant,
    findWorkflow: async () => undefined,
    quotas: createQuotas({ begins: 1e6, batches: 1e6 }),
    onError: () => {},
  });

  async function respond(request: Request): Promise<Response> {
    const [, kind, id, events] = PATH.exec(new URL(request.url).pathname)!;
    const target = { request, caller: ANONYMOUS, kind: kind as ExecutionKind, id: decodeURIComponent(id!) };
    try {
      return await (events ? publishing.append(target) : publishing.begin(target));
    } catch (error) {
      if (error instanceof RejectedRequest) return error.response;
      // Tests do not wait for seconds.
      if (isExecstreamError(error)) return problemOf(error.code, error.message, 0);
      throw error;
    }
  }

  const send: typeof fetch = async (input, init) => {
    const request = new Request(input as string, { ...init, signal: null });
    const { pathname: path } = new URL(request.url);
    const key = request.headers.get('Idempotency-Key');
    requests.push({ method: request.method, path, key, body: String(init?.body) });
    const fault = faults.shift();
    if (fault === 'late') late.push(request);
    if (fault === 'not sent' || fault === 'late') throw new TypeError('fetch failed');
    const response = await respond(request);
    const overtaken = late;
    late = [];
    for (const each of overtaken) await respond(each);
    if (fault === 'response lost') throw new TypeError('terminated');
    if (fault === 'no response') return new Promise(() => {});
    return response;
  };
  return { fetch: send, faults, requests };
}

/** The log of a server: every call ends within its timeout. */
function withTimeouts(log: FaultyLog, ms: number) {
  const error = () => new ExecstreamError('SOURCE_UNAVAILABLE', `no response within ${ms} ms`);
  const within = <T>(call: () => Promise<T>) => withTimeout(call, { ms, error });
  const reading = <T>(call: (real: EventLog) => Promise<T>) => {
    if (log.faults.isAway) throw error();
    return call(log.real);
  };
  const { writer } = log;
  return {
    open: (...args: Parameters<typeof writer.open>) => within(() => writer.open(...args)),
    append: (...args: Parameters<typeof writer.append>) => within(() => writer.append(...args)),
    recordHeartbeat: (id: string) => within(() => writer.recordHeartbeat(id)),
    removeHeartbeat: (id: string) => within(() => writer.removeHeartbeat(id)),
    head: async (id: string) => reading((real) => real.head(id)),
    read: async (id: string, after: number, limit: number) => reading((real) => real.read(id, after, limit)),
    findBatch: async (id: string, batch: string) => reading((real) => real.findBatch(id, batch)),
  };
}
