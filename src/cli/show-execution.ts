// Shows the events of an execution until its end, and determines the outcome. `tail` and `replay` share it.
import { createClient } from '../client/client.ts';
import type { ConnectionState } from '../client/connection-state.ts';
import type {
  EventType,
  ExecutionEvent,
  ExecutionKind,
  ExecutionStatus,
  JsonValue,
} from '../event/events.ts';
import { type ExecutionState, initialState, reduce } from '../event/state.ts';
import { executionPath } from './execution-arguments.ts';
import { EXIT_CODES, exitCodeOfStatus } from './exit-codes.ts';
import { createServerFetch, requestJson } from './server-access.ts';
import { finalContent } from './view/content.ts';
import { createView, type ViewOptions } from './view/create-view.ts';
import { sanitizeLine } from './view/text-width.ts';
import type { ExecutionView } from './view/view.ts';

export interface ShowOptions extends ViewOptions {
  readonly kind: ExecutionKind;
  readonly id: string;
  readonly url: string;
  readonly token: string | undefined;
  readonly after: string | undefined;
  readonly events: readonly EventType[] | undefined;
  /** Called before each event is shown. @default nothing */
  readonly pace?: (event: ExecutionEvent, signal: AbortSignal) => Promise<void>;
}

/** The part of the REST state that is used here. */
interface EndedState {
  readonly status: ExecutionStatus;
  readonly result: JsonValue;
}

/** Returns the exit code: the outcome of the execution, or that of an interruption. */
export async function showExecution(options: ShowOptions): Promise<number> {
  const { kind, id, url, token } = options;
  const view = createView(kind, options);
  const interrupt = interruption();
  let state = initialState(kind);
  try {
    const client = createClient({ url, fetch: createServerFetch(url), ...(token && { token }) });
    const { after, events, pace } = options;
    const { signal } = interrupt;
    const watched = client.watch(kind, id, {
      signal,
      onConnection: showConnection(view),
      ...(after !== undefined && { after }),
      ...(events && { events }),
    });
    for await (const event of watched) {
      await pace?.(event as ExecutionEvent, signal);
      const before = state;
      state = reduce(state, event as ExecutionEvent);
      await view.event(event as ExecutionEvent, before, state);
    }
    const readState = () => requestJson(url, executionPath(kind, id), token) as Promise<EndedState>;
    return await showEnd(state, view, options, readState);
  } catch (error) {
    if (!interrupt.signal.aborted) throw error;
    const cursor = state.cursor || options.after;
    if (cursor) view.note(`resume with: execstream tail ${kind} ${quoted(id)} --after ${cursor}`);
    return interrupt.exitCode;
  } finally {
    interrupt.dispose();
    view.close();
  }
}

/** Shows the changes of a connection. That one has ended needs no reason: rotations end them, and the next attempt works. */
function showConnection(view: ExecutionView): (state: ConnectionState) => void {
  let wasLive = false;
  return (state) => {
    const { status } = state;
    if (status === 'connecting' || status === 'live') view.link({ status });
    if (status === 'waiting')
      view.link({ status: 'lost', ...(!wasLive && { reason: sanitizeLine(state.reason) }) });
    wasLive = status === 'live';
  };
}

/** Shows what the stream did not contain. The terminal event omits a large result, and a filter may omit the event. */
async function showEnd(
  state: ExecutionState,
  view: ExecutionView,
  { json, after, events }: ShowOptions,
  readState: () => Promise<EndedState>,
): Promise<number> {
  const { end } = state;
  const isPart = after !== undefined || events !== undefined;
  const isOmitted = end !== undefined && 'resultOmitted' in end && end.resultOmitted === true;
  const isComplete = state.completeness === 'full' && (Boolean(state.text) || state.value != null);
  const isNeeded = !end || (isOmitted && !isComplete && !isPart && !json);
  const ended = isNeeded
    ? await readState()
    : { status: end.status, result: 'result' in end ? end.result : undefined };
  const content = isPart ? undefined : finalContent(state, ended.result);
  if (content !== undefined) await view.content(content);
  return exitCodeOfStatus(ended.status);
}

interface Interruption {
  readonly signal: AbortSignal;
  readonly exitCode: number;
  dispose(): void;
}

/** Ends the stream at SIGINT or SIGTERM. A second signal ends the process. */
function interruption(): Interruption {
  const controller = new AbortController();
  let exitCode: number = EXIT_CODES.interrupted;
  const onSignal = (name: NodeJS.Signals): void => {
    if (name === 'SIGTERM') exitCode = 143;
    dispose();
    controller.abort();
  };
  const dispose = (): void => void process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  return {
    signal: controller.signal,
    get exitCode() {
      return exitCode;
    },
    dispose,
  };
}

/** An id as a shell takes it. */
function quoted(id: string): string {
  return /^[\w./:@-]+$/.test(id) ? id : `'${id.replaceAll("'", String.raw`'\''`)}'`;
}
