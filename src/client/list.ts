// A page of executions as a store, kept up to date by polling.
import type { ExecutionKind, ExecutionStatus } from '../event/events.ts';
import type { Connection } from './connection.ts';
import { graphQLUrl } from './execution-events.ts';
import { errorOf, type Rejection } from './rejection.ts';
import { createStore, type Store } from './store.ts';

/** One execution of a list. */
export interface ListedExecution {
  readonly id: string;
  readonly kind: ExecutionKind;
  readonly status: ExecutionStatus;
  /** The agent id, task id or workflow type; null if it has none. */
  readonly name: string | null;
  readonly attempt: number;
  /** The id of the execution that started it; null if there is none. */
  readonly parentId: string | null;
  /** RFC 3339. */
  readonly startedAt: string;
  readonly finishedAt: string | null;
}

export interface ListFilter {
  readonly kind?: ExecutionKind;
  readonly status?: ExecutionStatus;
  /**
   * The number of executions, 1 to 100; newest first.
   * @default 20
   */
  readonly first?: number;
}

const QUERY =
  'query($kind:ExecutionKind,$status:ExecutionStatus,$first:Int){executions(kind:$kind,status:$status,first:$first){edges{node{id kind status name attempt startedAt finishedAt parent{id}}}}}';

type Node = Omit<ListedExecution, 'parentId'> & { readonly parent: { readonly id: string } | null };

interface Result extends Rejection {
  readonly data?: { readonly executions: { readonly edges: readonly { readonly node: Node }[] } } | null;
}

export interface ListRequest {
  readonly connection: Connection;
  readonly url: string;
  readonly filter: ListFilter;
  readonly pollMs: number;
  readonly initial: readonly ListedExecution[];
}

/** Connects immediately, and polls until it is closed. */
export function listExecutions({
  connection,
  url,
  filter: { kind, status, first },
  pollMs,
  initial,
}: ListRequest): Store<readonly ListedExecution[]> {
  const target = graphQLUrl(url, QUERY, { kind: kind?.toUpperCase(), status, first });
  let state = initial;

  async function poll(): Promise<void> {
    const pages = connection.run(async function* ({ request, step, pause, dispatch }) {
      for (;;) {
        const response = await request(target, { accept: 'application/json' });
        const result = (await step(() => response.json())) as Result;
        if (!result.data) throw errorOf(result, 'BAD_USER_INPUT');
        dispatch({ type: 'opened' });
        dispatch({ type: 'received' });
        yield result.data.executions.edges.map(toListed);
        await pause(pollMs);
      }
    });
    for await (const page of pages) {
      const known = new Map(state.map((each) => [JSON.stringify(each), each]));
      const next = page.map((each) => known.get(JSON.stringify(each)) ?? each);
      if (next.length === state.length && next.every((each, i) => each === state[i])) continue;
      state = next;
      connection.notify();
    }
  }

  // `connection` has the error.
  poll().catch(() => {});
  return createStore(connection, () => state);
}

function toListed({ node: { parent, ...node } }: { readonly node: Node }): ListedExecution {
  return { ...node, kind: node.kind.toLowerCase() as ExecutionKind, parentId: parent?.id ?? null };
}
