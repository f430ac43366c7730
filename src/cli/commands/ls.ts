// `execstream ls`: the newest executions, once or continuously.
import { Command } from 'commander';
import { createClient } from '../../client/client.ts';
import type { ListedExecution, ListFilter } from '../../client/list.ts';
import type { Store } from '../../client/store.ts';
import { ExecstreamError, invalidInput } from '../../event/errors.ts';
import type { ExecutionStatus } from '../../event/events.ts';
import { kindOf } from '../execution-arguments.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { runAction } from '../run-action.ts';
import { addServerOptions, createServerFetch, type ServerOptions, serverUrlOf } from '../server-access.ts';
import { createListView, formatRows, type ListView } from '../view/list-view.ts';

interface LsOptions extends ServerOptions {
  readonly kind?: string;
  readonly status?: string;
  readonly first: string;
  readonly watch?: true;
  readonly json?: true;
  readonly color: boolean;
}

const STATUSES: readonly ExecutionStatus[] = [
  'PENDING',
  'RUNNING',
  'WAITING',
  'PAUSED',
  'SUCCESS',
  'FAILED',
  'CANCELED',
  'TIMED_OUT',
  'TERMINATED',
];

export function lsCommand(): Command {
  return addServerOptions(new Command('ls'))
    .description('List executions, newest first.')
    .option('--kind <kind>', 'only of this kind: workflow, agent or task')
    .option('--status <status>', 'only with this status, such as running or failed')
    .option('-n, --first <count>', 'how many, up to 100', '20')
    .option('-w, --watch', 'keep the list up to date; in a pipe, print executions when they change')
    .option('--json', 'print each execution as one line of JSON')
    .option('--no-color', 'do not use colours (also: NO_COLOR)')
    .action((options: LsOptions) => runAction(() => list(options)));
}

async function list(options: LsOptions): Promise<number> {
  const url = serverUrlOf(options.url);
  const client = createClient({
    url,
    fetch: createServerFetch(url),
    ...(options.token && { token: options.token }),
  });
  const store = client.list(filterOf(options));
  try {
    await firstPage(store);
    if (options.watch) return await watchList(store, createListView(process.stdout, options));
    process.stdout.write(formatRows(store.state, process.stdout, options));
    return EXIT_CODES.success;
  } finally {
    store.close();
  }
}

function filterOf({ kind, status, first }: LsOptions): ListFilter {
  const count = /^\d{1,3}$/.test(first) ? Number(first) : Number.NaN;
  if (!(count >= 1 && count <= 100))
    throw invalidInput(`--first: expected 1 to 100, got "${first.slice(0, 40)}"`);
  return {
    first: count,
    ...(kind !== undefined && { kind: kindOf(kind) }),
    ...(status !== undefined && { status: statusOf(status) }),
  };
}

function statusOf(text: string): ExecutionStatus {
  const status = STATUSES.find((each) => each === text.toUpperCase().replace('-', '_'));
  if (status) return status;
  throw invalidInput(`--status: expected ${STATUSES.join(', ').toLowerCase()}, got "${text.slice(0, 40)}"`);
}

/** Waits for the first page, which may be empty. */
function firstPage(store: Store<readonly ListedExecution[]>): Promise<void> {
  return new Promise((resolve, reject) => {
    const check = (): void => {
      const { connection } = store;
      if (connection.status === 'failed') settle(() => reject(connection.error));
      else if (connection.status === 'waiting')
        settle(() => reject(new ExecstreamError('SOURCE_UNAVAILABLE', connection.reason)));
      // The page follows the status without another request.
      else if (connection.status === 'live') settle(() => setImmediate(resolve));
    };
    const unsubscribe = store.subscribe(check);
    const settle = (end: () => void): void => {
      unsubscribe();
      end();
    };
    check();
  });
}

/** Shows every change until the command is interrupted. */
function watchList(store: Store<readonly ListedExecution[]>, view: ListView): Promise<number> {
  return new Promise((resolve, reject) => {
    const show = (): void => {
      const { state, connection } = store;
      if (connection.status === 'failed') settle(() => reject(connection.error));
      else view.show(state, connection.status === 'waiting' ? connection.reason : undefined);
    };
    const onSignal = (): void => settle(() => resolve(EXIT_CODES.interrupted));
    const unsubscribe = store.subscribe(show);
    const settle = (end: () => void): void => {
      unsubscribe();
      process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
      view.close();
      end();
    };
    process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
    show();
  });
}
