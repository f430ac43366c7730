// A Yoga plugin: executes subscriptions once per event and operation, however many viewers there are.
import { createSourceEventStream, type ExecutionArgs, type ExecutionResult } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { isExecstreamError } from '../event/errors.ts';
import type { Caller } from '../execution/permission.ts';
import { preferredType } from '../http/negotiation.ts';
import { isPingRequested } from '../sse/stream-format.ts';
import type { Encoder } from '../stream/encoder.ts';
import { ViewerFrames } from '../stream/viewer-frames.ts';
import { Viewer } from '../tail/viewer.ts';
import { toGraphQLError } from './errors.ts';
import { MULTIPART_ENCODING, MULTIPART_TYPE } from './multipart-encoder.ts';
import type { SharedEncodings } from './shared-encodings.ts';
import { GRAPHQL_ENCODING, GRAPHQL_PING_ENCODING, SSE_TYPE } from './subscription-encoder.ts';

/** The types of a stream, in the order in which a wildcard selects them. */
export const STREAM_TYPES = [SSE_TYPE, MULTIPART_TYPE] as const;

/** The part of an operation's context that resolvers do not read. */
export interface OperationContext {
  readonly request: Request;
  readonly caller: Caller;
  /**
   * How the events are encoded.
   * @default GraphQL over SSE or multipart, as the request prefers
   */
  readonly encoding?: Encoder;
}

/** The open subscriptions, by request, because masking wraps the iterable that a subscription returns. */
export class SubscriptionRegistry {
  readonly #encodings: SharedEncodings;
  readonly #open = new WeakMap<Request, ViewerFrames>();

  constructor(encodings: SharedEncodings) {
    this.#encodings = encodings;
  }

  /** The response stream of a request's subscription, if it has one. */
  of(request: Request): ViewerFrames | undefined {
    return this.#open.get(request);
  }

  /** @param context of the operation, if it is not that of its resolvers */
  async subscribe(
    args: ExecutionArgs,
    context = args.contextValue as OperationContext,
  ): Promise<ViewerFrames | ExecutionResult> {
    const source = await createSourceEventStream(args);
    // Without the key `data`, graphql-sse does not recognise a result, and responds with 400 in single connection mode.
    if (!(source instanceof Viewer)) return { data: undefined, ...(source as ExecutionResult) };
    const { request, caller, encoding } = context;
    try {
      const encoder = encoding ?? encodingFor(request);
      const sharing = { encoder: encoder.name, caller };
      const [shared, release] = this.#encodings.acquire(source, args, sharing);
      const frames = new ViewerFrames(source, shared, encoder, release);
      this.#open.set(request, frames);
      return frames;
    } catch (error) {
      source.close();
      if (!isExecstreamError(error)) throw error;
      return { data: undefined, errors: [toGraphQLError(error)] } as unknown as ExecutionResult;
    }
  }
}

/** @internal */
export function useExecuteOnce(operations: SubscriptionRegistry): Plugin {
  return {
    onSubscribe: ({ setSubscribeFn }) => setSubscribeFn((args) => operations.subscribe(args)),
  };
}

/** @throws ExecstreamError `BAD_USER_INPUT` for an unknown value of `ping` */
function encodingFor(request: Request): Encoder {
  const isPing = isPingRequested(request.url);
  if (preferredType(request, STREAM_TYPES) === MULTIPART_TYPE) return MULTIPART_ENCODING;
  return isPing ? GRAPHQL_PING_ENCODING : GRAPHQL_ENCODING;
}
