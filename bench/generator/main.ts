// The generator's process: does what the benchmark asks of it, one call after the other, over Node's IPC.
import type { FeedSpec } from './feeds.ts';
import { type Crowding, type Pace, type TargetSpec, Turns } from './turn.ts';

/** What the benchmark may ask. `server` names whose feed and executions are meant. */
export interface GeneratorCalls {
  feed: { server: string; spec: FeedSpec };
  begin: { server: string; executions: number };
  fill: { server: string; events: number };
  connect: { server: string; target: TargetSpec; crowding: Crowding };
  measure: { server: string; target: TargetSpec; pace: Pace };
  stopReading: { server: string; share: number };
  disconnect: { server: string };
  close: { server: string };
}

export interface Call {
  readonly id: number;
  readonly name: keyof GeneratorCalls;
  readonly given: GeneratorCalls[keyof GeneratorCalls];
}

export type Answer = { readonly id: number } & ({ readonly result: unknown } | { readonly error: string });

const servers = new Map<string, Turns>();

const handlers: { [Name in keyof GeneratorCalls]: (given: GeneratorCalls[Name]) => unknown } = {
  feed: ({ server, spec }) => void servers.set(server, new Turns(server, spec)),
  begin: ({ server, executions }) => turns(server).begin(executions),
  fill: ({ server, events }) => turns(server).fill(events),
  connect: ({ server, target, crowding }) => turns(server).connect(target, crowding),
  measure: ({ server, target, pace }) => turns(server).measure(target, pace),
  stopReading: ({ server, share }) => turns(server).stopReading(share),
  disconnect: ({ server }) => turns(server).disconnect(),
  close: async ({ server }) => {
    await turns(server).close();
    servers.delete(server);
  },
};

function turns(server: string): Turns {
  const found = servers.get(server);
  if (!found) throw new Error(`${server} has no feed yet`);
  return found;
}

process.on('message', async ({ id, name, given }: Call) => {
  let answer: Answer;
  try {
    answer = { id, result: await handlers[name](given as never) };
  } catch (error) {
    answer = { id, error: error instanceof Error ? error.message : String(error) };
  }
  process.send!(answer);
});
process.once('disconnect', () => process.exit(0));
// Ctrl-C in a terminal reaches the whole group: the benchmark ends this process.
process.on('SIGINT', () => {});
