// Runs one execution and guarantees that it ends, with its result or with the error.
import type { BeginRun, ExecutionPublisher, JsonValue, Publisher } from '../../../src/worker.ts';

/** Shared by all executions of a worker. */
export interface WorkContext {
  readonly publisher: Publisher;
  /** Aborts when the worker stops. */
  readonly signal: AbortSignal;
  /** The speed, as a multiple of a person's reading speed. */
  readonly pace: number;
}

/** An agent or a task of a workflow. */
type ChildRun = BeginRun & { readonly kind: 'agent' | 'task'; readonly name: string };

/** A workflow as its children see it; it is run by a function of this process or by Temporal. */
export interface Parent {
  readonly id: string;
  readonly pace: number;
  /** The workflow's stream, if this process writes it; Temporal workflows write their own. */
  readonly stream?: ExecutionPublisher;
  /**
   * Runs a child: begins it under the workflow, reports it in the workflow's stream, and guarantees that it ends.
   */
  runChild<T>(
    child: ChildRun,
    work: (run: ExecutionPublisher, signal: AbortSignal) => Promise<T>,
  ): Promise<T>;
}

/**
 * Begins an execution and does its work, which completes it.
 * @throws the error of the work; the execution then ends as FAILED, or as CANCELED if the worker is stopping.
 */
export async function runExecution<T>(
  { publisher, signal }: WorkContext,
  begin: BeginRun,
  work: (run: ExecutionPublisher) => Promise<T>,
): Promise<T> {
  const run = await publisher.begin(begin);
  try {
    return await work(run);
  } catch (error) {
    if (signal.aborted) await run.fail('The worker was stopped', { status: 'CANCELED', code: 'STOPPED' });
    else await run.fail(error);
    throw error;
  }
}

/** Runs a child of a workflow, whose stream reports the child's start and end. */
export async function runChild<T>(
  context: WorkContext,
  workflow: ExecutionPublisher,
  child: ChildRun,
  work: (run: ExecutionPublisher) => Promise<T>,
): Promise<T> {
  const { id: executionId, kind, name, action } = child;
  const emitStatus = (status: 'SUCCESS' | 'FAILED' | 'CANCELED') =>
    kind === 'task'
      ? workflow.emit('task_status', { status, taskId: name, executionId })
      : workflow.emit('agent_status', { status, step: name, executionId });
  try {
    const result = await runExecution(context, { ...child, parentId: workflow.id }, async (run) => {
      if (kind === 'task') await workflow.emit('task_start', { taskId: name, executionId });
      else await workflow.emit('agent_start', { agentId: name, ...(action && { action }), executionId });
      return work(run);
    });
    await emitStatus('SUCCESS');
    return result;
  } catch (error) {
    await emitStatus(context.signal.aborted ? 'CANCELED' : 'FAILED');
    throw error;
  }
}

/**
 * Runs a tool and reports it in the streams of its callers.
 * @param summary the part of the outcome that the event contains.
 */
export async function callTool<T>(
  callers: readonly ExecutionPublisher[],
  tool: { readonly toolCallId: string; readonly toolName: string; readonly args: JsonValue },
  work: () => T | Promise<T>,
  summary: (outcome: T) => JsonValue,
): Promise<T> {
  const startedMs = performance.now();
  const report = (state: {
    status: 'started' | 'succeeded' | 'failed';
    result?: JsonValue;
    error?: string;
  }) =>
    Promise.all(
      callers.map((run) => {
        const durationMs = Math.round(performance.now() - startedMs);
        return run.toolCall({ ...tool, ...state, ...(state.status !== 'started' && { durationMs }) });
      }),
    );
  await report({ status: 'started' });
  try {
    const outcome = await work();
    await report({ status: 'succeeded', result: summary(outcome) });
    return outcome;
  } catch (error) {
    await report({ status: 'failed', error: error instanceof Error ? error.message : String(error) });
    throw error;
  }
}
