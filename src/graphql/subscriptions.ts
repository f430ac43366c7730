// A Yoga plugin: subscriptions are executed once for an event and operation, however many viewers watch.
import { createSourceEventStream, type ExecutionArgs, type ExecutionResult } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { isExecstreamError } from '../event/errors.ts';
import type { Caller } from '../execution/permission.ts';
import type { Encoder } from '../stream/encoder.ts';
import { ViewerFrames } from '../stream/viewer-frames.ts';
import { Viewer } from '../tail/viewer.ts';
import { toGraphQLError } from './errors.ts';
import type { SharedEncodings } from './shared-encodings.ts';
import { GRAPHQL_ENCODING } from './subscription-encoder.ts';

/** What an operation's context has beside what resolvers read. */
export interface OperationContext {
  readonly request: Request;
  readonly caller: Caller;
  /** How the events will be encoded; as GraphQL over SSE by default. */
  readonly encoding?: Encoder;
}

/** The subscriptions under way. By request: masking wraps the iterable that a subscription returns. */
export class SubscriptionRegistry {
  readonly #projections: SharedEncodings;
  readonly #live = new WeakMap<Request, ViewerFrames>();

  constructor(projections: SharedEncodings) {
    this.#projections = projections;
  }

  /** The response stream of a request's subscription, where it has one. */
  of(request: Request): ViewerFrames | undefined {
    return this.#live.get(request);
  }

  async subscribe(args: ExecutionArgs): Promise<ViewerFrames | ExecutionResult> {
    const source = await createSourceEventStream(args);
    // graphql-sse takes a result without the key for something else, and would answer 400 in single connection mode.
    if (!(source instanceof Viewer)) return { data: undefined, ...(source as ExecutionResult) };
    const { request, caller, encoding = GRAPHQL_ENCODING } = args.contextValue as OperationContext;
    try {
      const sharing = { encoding: encoding.name, caller };
      const [projection, release] = this.#projections.acquire(source, args, sharing);
      const live = new ViewerFrames(source, projection, encoding, release);
      this.#live.set(request, live);
      return live;
    } catch (error) {
      source.close();
      if (!isExecstreamError(error)) throw error;
      return { data: undefined, errors: [toGraphQLError(error)] } as unknown as ExecutionResult;
    }
  }
}

export function useExecuteOnce(operations: SubscriptionRegistry): Plugin {
  return {
    onSubscribe: ({ setSubscribeFn }) => setSubscribeFn((args) => operations.subscribe(args)),
  };
}
