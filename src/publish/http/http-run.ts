// The row and the log of one run over HTTP (PROTOCOL.md, "Publishing over HTTP").
//
// One `PUT` begins the row and opens the log. The run chooses its publisher token, so a `PUT` whose response was lost can
// be repeated. The server appends the start event, and keeps the row: a status event sets its status, the terminal event
// ends it.
import { ExecstreamError, isExecstreamError } from '../../event/errors.ts';
import type { ExecutionKind, NewEvent } from '../../event/events.ts';
import { byteLength } from '../../event/text.ts';
import type { BeginExecution } from '../../execution/store.ts';
import { type AppendRequest, type AppendResult, MAX_BATCH_BYTES, type OpenResult } from '../../log/log.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { RunConnection, RunLog, RunStore } from '../transport.ts';
import { splitEvents } from './event-batches.ts';
import type { HttpRequest, SendRequest } from './requests.ts';

/** Servers count a batch as a heartbeat: none is sent this soon after one. */
const HEARTBEAT_MS = 5_000;

interface Begun {
  readonly epoch: string;
  readonly head: number;
  readonly attempt: number;
}

export function connectHttpRun(
  send: SendRequest,
  execution: BeginExecution,
  startEvent: NewEvent,
  logger: Logger,
): RunConnection {
  const path = pathOf(execution.kind, execution.id);
  const token = crypto.randomUUID();
  const fields = beginFields(execution, startEvent, logger);
  let begun: Begun | undefined;
  let sentAt = 0;
  let isAbandoned = false;
  /** Whether the next batch begins with the start event of this epoch, which the server has appended. */
  let hasStart = false;

  async function put(more: object): Promise<Begun> {
    const body = JSON.stringify({ ...fields, ...more });
    const headers = { 'Publisher-Token': token };
    const response = beginResponseOf(await send({ method: 'PUT', path, headers, body }));
    // A repeated `PUT` finds its start event in the log.
    hasStart ||= response.epoch !== begun?.epoch;
    begun = response;
    sentAt = Date.now();
    return response;
  }

  /** What makes the server reject a batch of a former epoch or attempt, such as one that arrives late. */
  function labels(): Pick<Begun, 'epoch' | 'attempt'> | undefined {
    return begun && { epoch: begun.epoch, attempt: begun.attempt };
  }

  async function post(key: string, body: object, acknowledged = 0): Promise<number> {
    const headers = { 'Publisher-Token': token, 'Idempotency-Key': key, 'Publisher-Head': `${acknowledged}` };
    const request: HttpRequest = {
      method: 'POST',
      path: `${path}/events`,
      headers,
      body: JSON.stringify(body),
    };
    const { head } = Object(await send(request)) as { readonly head?: unknown };
    if (!Number.isSafeInteger(head)) throw noServer();
    sentAt = Date.now();
    return head as number;
  }

  /** Appends events in one request. If the server has other limits than expected, in several. */
  async function postEvents(
    key: string,
    events: readonly NewEvent[],
    request: AppendRequest,
  ): Promise<number> {
    try {
      return await post(key, { ...labels(), events }, request.acknowledged);
    } catch (error) {
      if (!isExecstreamError(error, 'EVENT_TOO_LARGE') || events.length === 1) throw error;
      const middle = Math.ceil(events.length / 2);
      await postEvents(`${key}.a`, events.slice(0, middle), request);
      return postEvents(`${key}.b`, events.slice(middle), request);
    }
  }

  async function append(request: AppendRequest): Promise<AppendResult> {
    const events = hasStart ? request.events.slice(1) : request.events;
    let head = request.acknowledged;
    for (const [i, part] of splitEvents(events).entries()) {
      head = await postEvents(`${request.batch}.${i}`, part, request);
    }
    hasStart = false;
    return { outcome: 'appended', head };
  }

  const abandon = () => post('abandon', { ...labels(), events: [], abandon: true });

  const log: RunLog = {
    async open(_, { attempt, lost }): Promise<OpenResult> {
      const known = begun?.epoch;
      const opened = lost
        ? await put({ attempt, lost: { epoch: lost.epoch, head: lost.acknowledged } })
        : (begun ?? (await put({ attempt })));
      const head = { ...opened, numbering: 'auto', end: 0, hasPublisher: true } as const;
      return { outcome: 'opened', head, isNewEpoch: opened.epoch !== known };
    },
    async append(_, request) {
      try {
        return await append(request);
      } catch (error) {
        if (isExecstreamError(error, 'ENDED')) return { outcome: 'ended', end: request.acknowledged };
        // Another attempt has the execution, or the log was lost: the next `PUT` shows which.
        if (isExecstreamError(error, 'SUPERSEDED')) return { outcome: 'lost' };
        throw error;
      }
    },
    async recordHeartbeat() {
      if (!begun || Date.now() - sentAt < HEARTBEAT_MS) return;
      await post('heartbeat', { ...labels(), events: [] });
    },
    async removeHeartbeat() {
      // The server removes that of an execution that ends. An abandoned run may have sent events after it was abandoned.
      if (isAbandoned) await abandon();
    },
  };
  const store: RunStore = {
    async begin({ attempt }) {
      const response = await put(attempt === undefined ? {} : { attempt });
      return { attempt: response.attempt, startedAt: new Date() };
    },
    setStatus: async () => true,
    async abandon() {
      isAbandoned = true;
      await abandon();
    },
  };
  return { log, store };
}

/** The body of the `PUT`, without its attempt. An input that does not fit into it is left out. */
function beginFields(execution: BeginExecution, { data }: NewEvent, logger: Logger): object {
  const { mode, name, parentId, tenant, input } = execution;
  const { agentId, action, taskId, workflowType } = data as { readonly [field: string]: unknown };
  const fields = { mode, name, parentId, tenant, agentId, action, taskId, workflowType };
  const bytes = byteLength(JSON.stringify({ ...fields, input }));
  if (input === undefined || bytes <= MAX_BATCH_BYTES - 1_024) return { ...fields, input };
  const message = 'input left out: it does not fit into a request to the server';
  logger.warn({ executionId: execution.id, bytes }, message);
  return fields;
}

function pathOf(kind: ExecutionKind, id: string): string {
  // URL parsers resolve the segments `.` and `..` even if they are encoded.
  const segment = id === '.' || id === '..' ? `%FF${id}` : encodeURIComponent(id);
  return `/api/v0/executions/${kind}s/${segment}`;
}

function beginResponseOf(response: unknown): Begun {
  const { epoch, head, attempt } = Object(response) as Partial<Begun>;
  if (typeof epoch !== 'string' || !Number.isSafeInteger(head) || !Number.isSafeInteger(attempt)) {
    throw noServer();
  }
  return { epoch, head: head!, attempt: attempt! };
}

function noServer(): ExecstreamError {
  return new ExecstreamError('CONFIG', 'url: expected that of an execstream server, got another response');
}
