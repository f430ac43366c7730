// REST aliases of an execution: its events as plain SSE (`…/{id}/stream`), and its state as JSON (`…/{id}`).
import type { ExecutionKind } from '../event/events.ts';
import { type Caller, unknownExecution, unknownRun } from '../execution/permission.ts';
import { preferredType } from '../http/negotiation.ts';
import type { RunOperation } from '../schema/operation.ts';
import type { EventStreams } from '../sse/event-streams.ts';
import { noContent, retryLater, streamResponse } from '../sse/responses.ts';
import type { ExecutionStateQuery } from './documents.gen.ts';
import { AGENT_STREAM, EXECUTION_DOCUMENT, TASK_STREAM, WORKFLOW_STREAM } from './documents.ts';
import { operationErrorOf, toProblem } from './operation-error.ts';
import { stateParameters, streamParameters } from './parameters.ts';
import { PINGS, PLAIN_SSE } from './plain-sse-encoder.ts';
import { isTransient, problem } from './problem.ts';

const STREAMS: { readonly [K in ExecutionKind]: string } = {
  workflow: WORKFLOW_STREAM,
  agent: AGENT_STREAM,
  task: TASK_STREAM,
};

/**
 * Streams an execution's events.
 * @throws ExecstreamError `BAD_CURSOR` or `BAD_USER_INPUT`, naming the parameter.
 */
export async function streamExecution(
  run: RunOperation,
  streams: EventStreams,
  target: { request: Request; caller: Caller; kind: ExecutionKind; id: string },
): Promise<Response> {
  const { request, caller, kind } = target;
  if (!preferredType(request, ['text/event-stream'])) {
    return problem(406, 'NOT_ACCEPTABLE', 'Accept: expected text/event-stream');
  }
  const { id, runId, after, events, pollMs, data, isPing } = streamParameters(request, target.id);
  const encoder = PLAIN_SSE[data];
  const result = await run({
    request,
    caller,
    query: STREAMS[kind],
    variables: { id, runId, after, pollMs, events: events?.map((type) => type.toUpperCase()) },
    encoding: isPing ? { ...encoder, format: PINGS } : encoder,
  });
  if ('take' in result) {
    if (!result.ended || after === undefined) return streamResponse(streams, result, request.signal);
    result.close();
    return noContent();
  }
  const error = operationErrorOf(result)!;
  if (isTransient(error.code) && request.headers.get('last-event-id')) {
    return retryLater(error.message, error.retryAfterSeconds);
  }
  return toProblem(error);
}

/**
 * Responds with an execution's state: `parent` and `children` are ids, `childrenCursor` and `runsCursor` are set if there
 * are more.
 * @throws ExecstreamError `BAD_USER_INPUT`, naming the parameter
 */
export async function showExecution(
  run: RunOperation,
  target: { request: Request; caller: Caller; kind: ExecutionKind; id: string },
): Promise<Response> {
  const { request, caller, kind, id } = target;
  const parameters = stateParameters(request);
  const variables = { kind: kind.toUpperCase(), id, ...parameters };
  const result = await run({ request, caller, query: EXECUTION_DOCUMENT, variables });
  if ('take' in result) throw new Error('a query returned a stream');
  const error = operationErrorOf(result);
  if (error) return toProblem(error);
  const { execution } = result.data as ExecutionStateQuery;
  if (!execution) {
    const { runId } = parameters;
    throw runId === undefined ? unknownExecution(id) : unknownRun(id, runId);
  }
  const { children, runs } = execution;
  const state = {
    ...execution,
    parent: execution.parent?.id ?? null,
    children: children.edges.map(({ node }) => node.id),
    childrenCursor: nextCursor(children),
    runs: runs?.edges.map(({ node }) => node) ?? null,
    runsCursor: runs ? nextCursor(runs) : null,
  };
  return Response.json(state, { headers: { 'Cache-Control': 'no-store' } });
}

/** The cursor of the next page; null if there is none. */
function nextCursor({ pageInfo }: Pick<State['children'], 'pageInfo'>): string | null {
  return pageInfo.hasNextPage ? pageInfo.endCursor : null;
}

type State = NonNullable<ExecutionStateQuery['execution']>;
