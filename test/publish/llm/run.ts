// A run for the tests of the adapters, and what its viewers see.
import { initialState, reduce } from '../../../src/event/state.ts';
import type { BeginRun, ExecutionPublisher } from '../../../src/worker.ts';
import { foldLog } from '../fold.ts';
import { createRig, type RigOptions } from '../rig.ts';

export async function beginRun(wanted: Partial<BeginRun> = {}, options: RigOptions = {}) {
  const { publisher, log } = createRig({}, options);
  const run = await publisher.begin({ kind: 'agent', id: 'a1', ...wanted });
  /** The stream so far: `tools` are the events of tool calls, and `calls` their state, both without durations. */
  const readStream = async () => {
    const folded = await foldLog(log.real, 'a1');
    const tools = folded.events.flatMap((e) => {
      if (e.type !== 'tool_call') return [];
      const { durationMs: _, ...rest } = e.data;
      return [rest];
    });
    const { toolCalls } = folded.events.reduce(reduce, initialState('agent'));
    const calls = toolCalls.map(({ durationMs: _, ...call }) => call);
    return { ...folded, tools, calls, end: folded.ends[0]?.data };
  };
  return { run, readStream };
}

/** Publishes with an adapter, ends the run with `completeWith`, and returns its stream and the error, if any. */
export async function outcomeOf(
  end: (run: ExecutionPublisher) => Promise<unknown>,
  wanted: Partial<BeginRun> = {},
) {
  const { run, readStream } = await beginRun(wanted);
  const error: unknown = await end(run).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return { ...(await readStream()), error };
}

/** An SDK's stream that has been recorded. */
export async function* recorded<T>(...parts: T[]): AsyncGenerator<T> {
  for (const part of parts) yield part;
}
