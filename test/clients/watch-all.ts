// All clients watch one run; what each of them delivered is judged at its end.
import { setMaxListeners } from 'node:events';
import { until } from '../support/wait.ts';
import { type Client, type End, judge, type Seen } from './clients.ts';
import type { Publishing } from './world.ts';

/** After the end of the run, for clients that wait longer and longer before they reconnect. */
const PATIENCE_MS = 25_000;

interface Watching {
  readonly client: Client;
  readonly seen: Seen[];
  end: End;
}

/**
 * @param publish publishes everything between the start and the end of the run
 * @param onError receives the error that a client reports
 * @returns a cell of the table for each client, by its name
 */
export async function watchAll(
  url: string,
  publishing: Publishing,
  clients: readonly Client[],
  publish: () => Promise<void>,
  onError: (client: string, error: unknown) => void = () => {},
): Promise<Map<string, string>> {
  const over = new AbortController();
  // One listener for each client.
  setMaxListeners(0, over.signal);
  const { id } = publishing.run;
  const watching = clients.map((client): Watching => {
    const watched: Watching = { client, seen: [], end: 'open' };
    const note = (event: Seen) => void watched.seen.push(event);
    client.watch({ url, id, signal: over.signal, note }).then(
      () => {
        watched.end = 'complete';
      },
      (error) => {
        watched.end = 'error';
        if (!over.signal.aborted) onError(client.name, error);
      },
    );
    return watched;
  });
  const isOver = ({ end }: Watching) => end !== 'open';
  const isReading = (one: Watching) => one.seen.length > 0 || isOver(one);
  try {
    // A client that receives nothing is judged at the end, like the others.
    await until(() => watching.every(isReading), { timeoutMs: 10_000 }).catch(() => {});
    await publish();
    const expected = await publishing.complete();
    await until(() => watching.every(isOver), { timeoutMs: PATIENCE_MS }).catch(() => {});
    return new Map(watching.map(({ client, seen, end }) => [client.name, judge(seen, end, expected)]));
  } finally {
    over.abort();
  }
}
