// The generator's process: executes the benchmark's calls, one after the other, over Node's IPC.
import type { FeedSpec } from './feeds.ts';
import { type CrowdSpec, type Pace, type TargetSpec, Turns } from './turn.ts';

/** The calls of the benchmark. `server` identifies the feed and the executions. */
export interface GeneratorCalls {
  feed: { server: string; spec: FeedSpec };
  begin: { server: string; executions: number };
  fill: { server: string; events: number };
  connect: { server: string; target: TargetSpec; crowdSpec: CrowdSpec };
  measure: { server: string; target: TargetSpec; pace: Pace };
  stopReading: { server: string; share: number };
  disconnect: { server: string };
  close: { server: string };
}

export interface Call {
  readonly id: number;
  readonly name: keyof GeneratorCalls;
  readonly args: GeneratorCalls[keyof GeneratorCalls];
}

export type CallResponse = { readonly id: number } & (
  | { readonly result: unknown }
  | { readonly error: string }
);

const servers = new Map<string, Turns>();

const handlers: { [Name in keyof GeneratorCalls]: (args: GeneratorCalls[Name]) => unknown } = {
  feed: ({ server, spec }) => void servers.set(server, new Turns(server, spec)),
  begin: ({ server, executions }) => turns(server).begin(executions),
  fill: ({ server, events }) => turns(server).fill(events),
  connect: ({ server, target, crowdSpec }) => turns(server).connect(target, crowdSpec),
  measure: ({ server, target, pace }) => turns(server).measure(target, pace),
  stopReading: ({ server, share }) => turns(server).stopReading(share),
  disconnect: ({ server }) => turns(server).disconnect(),
  close: async ({ server }) => {
    await turns(server).close();
    servers.delete(server);
  },
};

function turns(server: string): Turns {
  const existing = servers.get(server);
  if (!existing) throw new Error(`${server} has no feed yet`);
  return existing;
}

process.on('message', async ({ id, name, args }: Call) => {
  let response: CallResponse;
  try {
    response = { id, result: await handlers[name](args as never) };
  } catch (error) {
    response = { id, error: error instanceof Error ? error.message : String(error) };
  }
  process.send!(response);
});
process.once('disconnect', () => process.exit(0));
// Ctrl-C reaches the process group; the benchmark ends this process.
process.on('SIGINT', () => {});
