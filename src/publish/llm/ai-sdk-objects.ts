// Adapter for structured output of Vercel's AI SDK: results of `streamObject`, and of `streamText` with an output.
import { invalidInput } from '../../event/errors.ts';
import type { ExecutionPublisher } from '../execution-publisher.ts';
import { failureOf, publishFullStream, tokens } from './ai-sdk.ts';
import { field } from './fields.ts';
import { collectStream } from './stream-collector.ts';
import { partsOf, toError, unfinished } from './stream-errors.ts';

type Parts = AsyncIterable<{ readonly type: string }>;

/** The result of `streamObject`. */
export interface StreamObjectResult<T> {
  readonly fullStream: Parts;
  readonly object: PromiseLike<T>;
}

/** The result of `streamText` with an output. */
export interface StreamOutputResult<T> {
  readonly fullStream: Parts;
  readonly partialOutputStream: AsyncIterable<unknown>;
  readonly output: PromiseLike<T>;
}

/** The result of `streamText` with an output, in version 5, which does not promise the object. */
export interface ExperimentalStreamOutputResult {
  readonly fullStream: Parts;
  readonly experimental_partialOutputStream: AsyncIterable<unknown>;
}

/**
 * Publishes the partial objects of `streamObject`, or of `streamText` with an output, on a run of mode STRUCTURED, and
 * then the complete object; with `streamText` also its tool calls, and the usage. The run is not ended.
 * @param result the SDK's result, and not one of its streams of partial objects: those end without an error when the
 *   model fails, and do not report an object that is incomplete or does not match its schema.
 * @returns the complete object.
 * @throws the error of the stream or of the object, after everything before it has been published; ExecstreamError
 *   `BAD_USER_INPUT` for anything but such a result.
 * @example
 * ```ts
 * const run = await publisher.begin({ kind: 'agent', id: 'recipe-1', mode: 'STRUCTURED' });
 * await completeWith(run, () =>
 *   publishPartialObjects(run, streamObject({ model, schema, prompt: 'A recipe for bread.' })),
 * );
 * ```
 */
export async function publishPartialObjects<T>(
  run: ExecutionPublisher,
  result: StreamObjectResult<T> | StreamOutputResult<T> | ExperimentalStreamOutputResult,
): Promise<T> {
  if ('object' in result) return publishStreamObject(run, result);
  if ('partialOutputStream' in result && 'output' in result) {
    await publishPartialOutputs(run, result.fullStream, result.partialOutputStream);
    return publishComplete(run, await result.output);
  }
  if ('experimental_partialOutputStream' in result) {
    const { fullStream, experimental_partialOutputStream: partials } = result;
    const { last, finishReason } = await publishPartialOutputs(run, fullStream, partials);
    // Version 5 neither completes nor checks the object.
    if (finishReason === 'stop') return last as T;
    throw new Error(`the model stopped before the object was complete: ${finishReason}`);
  }
  const expected = 'expected the result of streamObject, or of streamText with an output';
  throw invalidInput(`result: ${expected}, not its stream, which does not report that the model failed`);
}

async function publishStreamObject<T>(run: ExecutionPublisher, result: StreamObjectResult<T>): Promise<T> {
  const { fullStream } = result;
  const collector = collectStream(run);
  let failure: Error | undefined;
  let isFinished = false;
  for await (const part of partsOf(fullStream)) {
    if (part.type === 'object') await run.value(field(part, 'object'));
    if (part.type === 'error') failure ??= toError(field(part, 'error'), 'the stream failed');
    if (part.type !== 'finish') continue;
    isFinished = true;
    collector.model(field(field(part, 'response'), 'modelId'));
    collector.usage(...tokens(field(part, 'usage')));
    failure ??= failureOf(part);
  }
  if (failure) throw failure;
  if (!isFinished) throw unfinished(fullStream, 'the stream ended before its finish part');
  return publishComplete(run, await result.object);
}

/** Publishes the streams of one result concurrently: they share a source, which waits for the slower reader. */
async function publishPartialOutputs(
  run: ExecutionPublisher,
  fullStream: Parts,
  partials: AsyncIterable<unknown>,
) {
  const publishValues = async (): Promise<unknown> => {
    let last: unknown;
    for await (const partial of partials) {
      last = partial;
      await run.value(partial);
    }
    return last;
  };
  const [full, values] = await Promise.allSettled([publishFullStream(run, fullStream), publishValues()]);
  if (full.status === 'rejected') throw full.reason;
  if (values.status === 'rejected') throw values.reason;
  return { finishReason: full.value.finishReason, last: values.value };
}

/** Publishes the object as its schema returns it, which may differ from the last partial one. */
async function publishComplete<T>(run: ExecutionPublisher, object: T): Promise<T> {
  await run.value(object);
  return object;
}
