// What happens to a server while all clients of a column watch one run.
import { setMaxListeners } from 'node:events';
import type { ServerProcess } from '../server/process.ts';
import { until } from '../support/wait.ts';
import { type Client, type End, judge, type Seen } from './clients.ts';
import { EVENTS, type Publishing, type World } from './world.ts';

export interface Scenario {
  readonly name: string;
  readonly server: 'server' | 'rotating';
  /** Publishes everything between the start and the end. */
  run(server: ServerProcess, publishing: Publishing): Promise<void>;
}

const EVERY_MS = 40;
/** Without the start and the end. */
const PUBLISHED = EVENTS - 2;

/** Interrupts the server after a third of the run; the next third is published while it is down. */
async function interrupted(publishing: Publishing, interrupt: () => Promise<void>): Promise<void> {
  await publishing.publish(PUBLISHED / 3, EVERY_MS);
  const publishingOn = publishing.publish(PUBLISHED / 3, EVERY_MS);
  await interrupt();
  await publishingOn;
  await publishing.publish(PUBLISHED / 3, EVERY_MS);
}

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'whole run',
    server: 'server',
    run: (_, publishing) => publishing.publish(PUBLISHED, EVERY_MS / 4),
  },
  {
    name: 'rotation',
    server: 'rotating',
    run: (_, publishing) => publishing.publish(PUBLISHED, EVERY_MS),
  },
  {
    name: 'SIGTERM',
    server: 'server',
    run: (server, publishing) =>
      interrupted(publishing, async () => {
        await server.drain();
        await server.start();
      }),
  },
  {
    name: 'SIGKILL',
    server: 'server',
    run: (server, publishing) =>
      interrupted(publishing, async () => {
        await server.kill();
        await server.start();
      }),
  },
];

/** After the end of the run, for clients that wait longer and longer before they reconnect. */
const PATIENCE_MS = 25_000;

interface Watching {
  readonly client: Client;
  readonly seen: Seen[];
  end: End;
  error: unknown;
}

/** One column of the table: a cell for each client, and errors for the log. */
export async function runScenario(
  world: World,
  scenario: Scenario,
  clients: readonly Client[],
): Promise<Map<string, string>> {
  const id = scenario.name.replace(' ', '-');
  const server = world[scenario.server];
  const publishing = await world.begin(id);
  const over = new AbortController();
  // One listener for each client.
  setMaxListeners(0, over.signal);
  const watching = clients.map((client): Watching => {
    const seen: Seen[] = [];
    const watched: Watching = { client, seen, end: 'open', error: undefined };
    client.watch({ url: server.url, id, signal: over.signal, note: (event) => void seen.push(event) }).then(
      () => {
        watched.end = 'complete';
      },
      (error) => {
        watched.end = 'error';
        watched.error = error;
      },
    );
    return watched;
  });
  const isOver = ({ end }: Watching) => end !== 'open';
  try {
    const isReading = (one: Watching) => one.seen.length > 0 || isOver(one);
    // A client that receives nothing is judged at the end, like the others.
    await until(() => watching.every(isReading), { timeoutMs: 10_000 }).catch(() => {});
    await scenario.run(server, publishing);
    const expected = await publishing.complete();
    await until(() => watching.every(isOver), { timeoutMs: PATIENCE_MS }).catch(() => {});
    return new Map(
      watching.map(({ client, seen, end, error }) => {
        if (process.env.CLIENTS_DEBUG && error)
          console.log(
            '#',
            scenario.name,
            client.name,
            seen.length,
            (error as Error).message,
            (error as Error).stack?.slice(0, 300),
          );
        return [client.name, judge(seen, end, expected)];
      }),
    );
  } finally {
    over.abort();
  }
}
