// The subscriptions in the Yoga server of an application, whose Pothos builder has the types (schema/embedded-types.ts):
// resumed by their cursors, executed once for all viewers, and sent with heartbeats. Its other operations are not affected.
import { type ExecutionArgs, getOperationAST, Kind, type SelectionSetNode } from 'graphql';
import { ExecstreamError, isExecstreamError } from '../event/errors.ts';
import type { Caller } from '../execution/permission.ts';
import { maskErrors, toGraphQLError } from '../graphql/errors.ts';
import { useEventAliasLimit } from '../graphql/event-aliases.ts';
import { lastEventIdOf } from '../graphql/last-event-id.ts';
import { streamOf } from '../graphql/response-format.ts';
import { STREAM_TYPES } from '../graphql/subscriptions.ts';
import { preferredType } from '../http/negotiation.ts';
import { bindContext, type EmbeddedTypesOptions, subscriptionNames } from '../schema/embedded-types.ts';
import { checkCaller } from './auth/claims.ts';
import type { Execstream } from './create-execstream.ts';

export interface UseExecstreamOptions<Context extends object> extends EmbeddedTypesOptions {
  /** The caller of an operation, from the context of the server; undefined is rejected with `UNAUTHENTICATED`. */
  readonly caller: (context: Context) => Caller | undefined | Promise<Caller | undefined>;
}

/**
 * A plugin of Yoga, by what it uses of Yoga: the types of Yoga would have to compile in every application that embeds the
 * server.
 */
export interface ExecstreamPlugin {
  readonly onPluginInit: (yoga: { addPlugin(plugin: object): void }) => void;
  readonly onSubscribe: (operation: {
    readonly args: ExecutionArgs;
    setSubscribeFn(subscribe: (args: ExecutionArgs) => Promise<unknown>): void;
  }) => void;
  readonly onResultProcess: (response: {
    readonly request: Request;
    setResultProcessor(process: () => Response, type: string): void;
  }) => void;
}

/**
 * A Yoga plugin that serves the subscriptions of `addExecstreamTypes`. The options must have the same prefixes.
 * @example
 * ```ts
 * const yoga = createYoga({
 *   schema: builder.toSchema(),
 *   plugins: [useExecstream(execstream, { prefix: 'Execstream', caller: ({ user }) => user && { id: user.id } })],
 * });
 * ```
 */
export function useExecstream<Context extends object = { readonly request: Request }>(
  { graphql, streams }: Pick<Execstream, 'graphql' | 'streams'>,
  { caller: callerOf, prefix = '', fieldPrefix = '' }: UseExecstreamOptions<Context>,
): ExecstreamPlugin {
  const { services, createRegistry } = graphql;
  const operations = createRegistry();
  const names = subscriptionNames(fieldPrefix);

  async function subscribe(args: ExecutionArgs) {
    const context = args.contextValue as Context & { readonly request: Request };
    const { request } = context;
    try {
      const caller = checkCaller(await requireCaller(context));
      bindContext(context, { caller, services, lastEventId: lastEventIdOf(request) });
      const result = await operations.subscribe(args, { request, caller });
      // The server would mask errors of a class that it does not know.
      return Symbol.asyncIterator in result ? result : maskErrors(result);
    } catch (error) {
      if (!isExecstreamError(error)) throw error;
      return maskErrors({ errors: [toGraphQLError(error)] });
    }
  }

  async function requireCaller(context: Context): Promise<Caller> {
    const caller = await callerOf(context);
    if (caller) return caller;
    throw new ExecstreamError('UNAUTHENTICATED', 'credentials are missing');
  }

  return {
    onPluginInit: ({ addPlugin }) => addPlugin(useEventAliasLimit(prefix)),
    onSubscribe: ({ args, setSubscribeFn }) => {
      if (names.has(fieldOf(args) ?? '')) setSubscribeFn(subscribe);
    },
    onResultProcess: ({ request, setResultProcessor }) => {
      const frames = operations.of(request);
      if (!frames) return;
      const type = preferredType(request, STREAM_TYPES);
      if (type === undefined) frames.close();
      else setResultProcessor(() => streamOf(request, frames, streams), type);
    },
  };
}

/** The name of a subscription's field, which may be in fragments. Validation ensures that there is one. */
function fieldOf({ document, operationName }: ExecutionArgs): string | undefined {
  const fragments = new Map<string, SelectionSetNode>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) {
      fragments.set(definition.name.value, definition.selectionSet);
    }
  }
  let set = getOperationAST(document, operationName)?.selectionSet;
  for (;;) {
    const node = set?.selections[0];
    if (!node) return undefined;
    if (node.kind === Kind.FIELD) return node.name.value;
    set = node.kind === Kind.INLINE_FRAGMENT ? node.selectionSet : fragments.get(node.name.value);
  }
}
