// A page of executions as a store, kept up to date by polling.
import type { ExecutionKind, ExecutionStatus } from '../event/events.ts';
import type { Connection, ConnectionOptions } from './connection.ts';
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

export interface ListOptions extends ConnectionOptions {
  /**
   * The time between two requests, in ms.
   * @default 2_000
   */
  readonly pollMs?: number;
  /**
   * The executions to begin with, until the first response.
   * @default []
   */
  readonly initial?: readonly ListedExecution[];
}

const QUERY =
  'query($kind:ExecutionKind,$status:ExecutionStatus,$first:Int){executions(kind:$kind,status:$status,first:$first){edges{node{id kind status name attempt startedAt finishedAt parent{id}}}}}';

type Node = Omit<ListedExecution, 'parentId'> & { readonly parent: { readonly id: string } | null };

interface Result extends Rejection {
  readonly data?: { readonly executions: { readonly edges: readonly { readonly node: Node }[] } } | null;
}

/** Connects immediately, and polls until it is closed. */
export function listExecutions(
  connection: Connection,
  url: string,
  { kind, status, first }: ListFilter,
  { pollMs = 2_000, initial = [] }: ListOptions,
): Store<readonly ListedExecution[]> {
  const target = graphQLUrl(url, QUERY, { kind: kind?.toUpperCase(), status, first });
  let state: readonly ListedExecution[] = initial;

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
      if (JSON.stringify(page) === JSON.stringify(state)) continue;
      const known = new Map(state.map((each) => [JSON.stringify(each), each]));
      state = page.map((each) => known.get(JSON.stringify(each)) ?? each);
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
