// How one execution is run: begun, worked on, and sure to be ended, with success or with what went wrong.
import type { BeginRun, ExecutionPublisher, JsonValue, Publisher } from '../../../src/worker.ts';

/** What every piece of work is given. */
export interface Conditions {
  readonly publisher: Publisher;
  /** Aborts when the worker stops. */
  readonly signal: AbortSignal;
  /** How many times as fast as a person. */
  readonly pace: number;
}

/** An agent or a task of a workflow. */
type ChildRun = BeginRun & { readonly kind: 'agent' | 'task'; readonly name: string };

/** A workflow as the work of its children knows it: a function of this process runs it, or Temporal does. */
export interface Parent {
  readonly id: string;
  readonly pace: number;
  /** Its own stream, where this process writes it; Temporal's workflows write theirs themselves. */
  readonly stream?: ExecutionPublisher;
  /** Runs a child: begun under the workflow, named in its stream, and sure to be ended. */
  conduct<T>(child: ChildRun, work: (run: ExecutionPublisher, signal: AbortSignal) => Promise<T>): Promise<T>;
}

/**
 * Begins an execution and does its work, which completes it.
 * @throws what the work throws; the execution then ends as FAILED, or CANCELED where the worker stops.
 */
export async function conduct<T>(
  { publisher, signal }: Conditions,
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

/** Conducts a child of a workflow, whose own stream names it as it begins and ends. */
export async function conductChild<T>(
  conditions: Conditions,
  workflow: ExecutionPublisher,
  child: ChildRun,
  work: (run: ExecutionPublisher) => Promise<T>,
): Promise<T> {
  const { id: executionId, kind, name, action } = child;
  const tellStatus = (status: 'SUCCESS' | 'FAILED' | 'CANCELED') =>
    kind === 'task'
      ? workflow.emit('task_status', { status, taskId: name, executionId })
      : workflow.emit('agent_status', { status, step: name, executionId });
  try {
    const result = await conduct(conditions, { ...child, parentId: workflow.id }, async (run) => {
      if (kind === 'task') await workflow.emit('task_start', { taskId: name, executionId });
      else await workflow.emit('agent_start', { agentId: name, ...(action && { action }), executionId });
      return work(run);
    });
    await tellStatus('SUCCESS');
    return result;
  } catch (error) {
    await tellStatus(conditions.signal.aborted ? 'CANCELED' : 'FAILED');
    throw error;
  }
}

/**
 * Does a tool's work and tells of it in the streams of those who called it.
 * @param summary what the event shows of the outcome.
 */
export async function callTool<T>(
  callers: readonly ExecutionPublisher[],
  tool: { readonly toolCallId: string; readonly toolName: string; readonly args: JsonValue },
  work: () => T | Promise<T>,
  summary: (outcome: T) => JsonValue,
): Promise<T> {
  const began = performance.now();
  const tell = (how: { status: 'started' | 'succeeded' | 'failed'; result?: JsonValue; error?: string }) =>
    Promise.all(
      callers.map((run) => {
        const durationMs = Math.round(performance.now() - began);
        return run.toolCall({ ...tool, ...how, ...(how.status !== 'started' && { durationMs }) });
      }),
    );
  await tell({ status: 'started' });
  try {
    const outcome = await work();
    await tell({ status: 'succeeded', result: summary(outcome) });
    return outcome;
  } catch (error) {
    await tell({ status: 'failed', error: error instanceof Error ? error.message : String(error) });
    throw error;
  }
}
