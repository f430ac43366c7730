// C: the memory of an idle viewer.
import { memoryBytes } from '../proc.ts';
import type { Staged } from '../stage.ts';
import { forEachKind, fresh, type Run, type Scenario, sleep } from './scenario.ts';

/** Enough rounds to compile the code of connections, and few viewers, because freed memory is reused. */
const WARM_UP = { viewers: 200, rounds: 5 };
const SETTLE_MS = 1_500;

export const IDLE_MEMORY: Scenario = {
  name: 'C',
  description: 'idle memory of 1,000 and 10,000 viewers of one execution',
  needsServers: false,
  comparesPeers: false,
  run: (run) =>
    forEachKind(run, (kind) => fresh(run, kind, (staged) => measure(run, staged, staged.subjects[0]!))),
};

async function measure(run: Run, staged: Staged, subject: string): Promise<void> {
  for (let round = 0; round < WARM_UP.rounds; round++) {
    await staged.connect(subject, { viewers: WARM_UP.viewers, executions: 1 });
    await staged.measure(subject, { inFlight: 16, forMs: 300 });
    await staged.disconnect();
  }
  const before = await settledBytes(staged);
  for (const viewers of [1_000, 10_000]) {
    await staged.connect(subject, { viewers, executions: 1 });
    const bytes = (await settledBytes(staged)) - before;
    run.add(`C, ${viewers} viewers`, subject, { kbPerViewer: bytes / 1_000 / viewers });
    await staged.disconnect();
    await sleep(SETTLE_MS);
  }
}

/** Memory in use after garbage collection. */
export async function settledBytes({ server }: Staged): Promise<number> {
  await sleep(SETTLE_MS);
  for (let round = 0; round < 4; round++) {
    await server.control?.('collect');
    await sleep(200);
  }
  return memoryBytes(server.pids);
}
