// What happens to a server while all clients of a column watch one run.
import type { ServerProcess } from '../server/process.ts';
import { until } from '../support/wait.ts';
import { type Client, type End, judge, type Seen } from './clients.ts';
import { EVENTS, type Publishing, type World } from './world.ts';

export interface Scenario {
  readonly name: string;
  readonly env?: Readonly<Record<string, string>>;
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
  { name: 'whole run', run: (_, publishing) => publishing.publish(PUBLISHED, EVERY_MS / 4) },
  {
    name: 'rotation',
    env: { LIFETIME_MS: '1500' },
    run: (_, publishing) => publishing.publish(PUBLISHED, EVERY_MS),
  },
  {
    name: 'SIGTERM',
    run: (server, publishing) =>
      interrupted(publishing, async () => {
        await server.drain();
        await server.start();
      }),
  },
  {
    name: 'SIGKILL',
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
  server: ServerProcess,
  scenario: Scenario,
  clients: readonly Client[],
): Promise<Map<string, string>> {
  const id = scenario.name.replace(' ', '-');
  const publishing = await world.begin(id);
  const over = new AbortController();
  const watching = clients.map((client): Watching => {
    const seen: Seen[] = [];
    const watched: Watching = { client, seen, end: 'open', error: undefined };
    client
      .watch({ url: server.url, id, signal: over.signal, note: (event) => void seen.push(event) })
      .then(
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
    await until(() => watching.every((one) => one.seen.length > 0 || isOver(one)), {
      what: 'the first event of every client',
      timeoutMs: 20_000,
    });
    await scenario.run(server, publishing);
    const expected = await publishing.complete();
    await until(() => watching.every(isOver), { timeoutMs: PATIENCE_MS }).catch(() => {});
    return new Map(
      watching.map(({ client, seen, end, error }) => {
        if (process.env.CLIENTS_DEBUG && error) console.log(scenario.name, client.name, seen.length, error);
        return [client.name, judge(seen, end, expected)];
      }),
    );
  } finally {
    over.abort();
  }
}
