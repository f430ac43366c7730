// The same workflows with a stream, one for each way of adding it, and with wrappers that a replay must reject.
import { uuid4 } from '@temporalio/workflow';
import { createStreamState, type StreamState, streamed } from '../../../src/temporal/workflow/index.ts';
import { order, type RunChild } from './body.ts';

function childrenOf(stream: StreamState): RunChild {
  return (name, run) => {
    stream.status('RUNNING', name);
    stream.toolCall({ toolCallId: name, toolName: name, status: 'started' });
    stream.usage({ inputTokens: 1, outputTokens: 2, totalTokens: 3 });
    stream.childId('agent', name);
    return stream.child({ kind: 'task', taskId: name }, run);
  };
}

export const wrapped = streamed((stream) => order(childrenOf(stream)));

export async function manual(): Promise<string> {
  const stream = createStreamState();
  const result = await order(childrenOf(stream));
  stream.complete(result);
  return result;
}

/** Draws a random number of the workflow. */
export const drawing = () =>
  order((_, run) => {
    uuid4();
    return run();
  });

/** Settles a microtask later than the work. */
export const delaying = () => order(async (_, run) => await run());

export const leaf = streamed(async () => {});
