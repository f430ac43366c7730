// Subscriptions through a gateway: a connection between the gateway and the server that breaks reaches the viewer as a
// result with errors, or as the end. So only a terminal event ends a stream here.
import type { Client, ExecutionResult, RequestParams, Sink } from 'graphql-sse';

type Data = Record<string, { id: string; type: string } | null>;
type Extensions = Record<string, unknown>;

/** A request that is rejected with one of these codes would be rejected again. */
const PERMANENT: unknown[] = ['NOT_FOUND', 'FORBIDDEN', 'UNAUTHENTICATED', 'BAD_CURSOR', 'BAD_USER_INPUT'];

/** `client.subscribe` for a document that selects `id` and `type` and has the variable `$after`. */
export function subscribeThroughGateway(
  client: Pick<Client, 'subscribe'>,
  request: RequestParams,
  sink: Sink<ExecutionResult<Data, Extensions>>,
): () => void {
  let cursor = request.variables?.after;
  let isOver = false;
  let stop: () => void;
  let timer: NodeJS.Timeout | undefined;
  const again = () => {
    timer = setTimeout(open, 500 + Math.random() * 500);
  };
  const open = () => {
    stop = client.subscribe<Data, Extensions>(
      { ...request, variables: { ...request.variables, after: cursor } },
      {
        next(result) {
          const event = Object.values(result.data ?? {})[0];
          const codes = result.errors?.map(({ extensions }) => extensions?.code) ?? [];
          isOver = event?.type === 'COMPLETE' || event?.type === 'ERROR' || codes.some(isPermanent);
          cursor = event?.id ?? cursor;
          if (event || isOver) sink.next(result);
        },
        complete: () => (isOver ? sink.complete() : again()),
        error: again,
      },
    );
  };
  open();
  return () => {
    clearTimeout(timer);
    stop();
  };
}

const isPermanent = (code: unknown) => PERMANENT.includes(code);
