// What happens to a server while all clients of a column watch one run.
import type { ServerProcess } from '../server/process.ts';
import { EVENTS, type Publishing } from './world.ts';

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
async function interrupted(publishing: Publishing, interrupt: () => Promise<unknown>): Promise<void> {
  await publishing.publish(PUBLISHED / 3, EVERY_MS);
  await Promise.all([publishing.publish(PUBLISHED / 3, EVERY_MS), interrupt()]);
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
    run: (server, publishing) => interrupted(publishing, () => server.drain().then(server.start)),
  },
  {
    name: 'SIGKILL',
    server: 'server',
    run: (server, publishing) => interrupted(publishing, () => server.kill().then(server.start)),
  },
];
