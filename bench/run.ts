// One run: sets the stage, starts the servers, and goes through the scenarios as often as asked.
import type { Options } from './options.ts';
import { OURS, Results } from './results.ts';
import { SCENARIOS } from './scenarios/all.ts';
import { type Run, rotated } from './scenarios/scenario.ts';
import { PEERS } from './servers/all.ts';
import { EXECSTREAM } from './servers/execstream.ts';
import { installPeers } from './servers/peers.ts';
import type { ServerKind } from './servers/server.ts';
import { Stage, type Staged } from './stage.ts';

const WARM_UP_MS = 1_000;
/** The quick form repeats itself for as long as it stays within this, but for a record. */
const QUICK_MS = 45_000;

/** @param onRepetition is given what there is after each repetition */
export async function runAll(
  options: Options,
  dist: string,
  say: (line: string) => void,
  onRepetition: (results: Results, repetitions: number) => void = () => {},
): Promise<Results> {
  const results = new Results();
  const from = performance.now();
  const elapsed = () => `${((performance.now() - from) / 1_000).toFixed(0)} s`.padStart(6);
  const kinds = kindsFor(options, say);
  installPeers();
  const stage = await Stage.set(dist);
  const servers: Staged[] = [];
  try {
    const scenarios = SCENARIOS.filter(({ name }) => options.only.includes(name));
    if (scenarios.some(({ needsServers }) => needsServers)) {
      servers.push(...(await startAll(stage, kinds)));
      if (options.only.includes('B')) await Promise.all(servers.map((staged) => staged.begin(1_000)));
      for (const staged of servers) await warmUp(staged);
      say(`${elapsed()} all servers run`);
    }
    for (let repetition = 0; repetition < options.repetitions; repetition++) {
      const beganAt = performance.now() - from;
      const run: Omit<Run, 'servers'> = {
        stage,
        kinds: rotated(kinds, repetition),
        subjectsOf: ({ subjects }) => (options.isQuick ? subjects.slice(0, 1) : subjects),
        isQuick: options.isQuick,
        profile: repetition === 0 ? options.profile : undefined,
        say,
        add: (scenario, subject, measures) => {
          results.add(scenario, subject, measures);
          say(`${elapsed()} ${repetition + 1} ${scenario}, ${subject}: ${described(measures)}`);
        },
      };
      for (const scenario of scenarios) {
        await replaceEnded(stage, servers, say);
        const isAsked = ({ name }: ServerKind) => name === OURS || scenario.comparesPeers || repetition === 0;
        await scenario.run({
          ...run,
          kinds: run.kinds.filter(isAsked),
          servers: rotated(servers, repetition).filter(({ kind }) => isAsked(kind)),
        });
      }
      onRepetition(results, repetition + 1);
      const endedAt = performance.now() - from;
      if (options.isQuick && !options.record && endedAt + (endedAt - beganAt) > QUICK_MS) break;
    }
    return results;
  } finally {
    await Promise.allSettled(servers.map((staged) => staged.stop()));
    await stage.strike();
  }
}

/** @throws Error where one cannot be started, once all others are stopped: they would keep this process alive */
async function startAll(stage: Stage, kinds: readonly ServerKind[]): Promise<Staged[]> {
  const started = await Promise.allSettled(kinds.map((kind) => stage.start(kind)));
  const servers = started.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  const failed = started.find((each) => each.status === 'rejected');
  if (!failed) return servers;
  await Promise.allSettled(servers.map((staged) => staged.stop()));
  throw failed.reason;
}

/** A peer that has ended by itself between two scenarios, as one does whose client goes away at the wrong moment. */
async function replaceEnded(stage: Stage, servers: Staged[], say: (line: string) => void): Promise<void> {
  for (const [i, { kind, server }] of servers.entries()) {
    if (!server.hasEnded?.()) continue;
    if (kind.name === OURS) throw new Error('our server has ended by itself');
    say(`${kind.name} has ended by itself, and is started anew`);
    const staged = await stage.start(kind);
    await warmUp(staged);
    servers[i] = staged;
  }
}

/** Code that is run often is compiled by then, in the first server that is measured as in the last. */
async function warmUp(staged: Staged): Promise<void> {
  for (const subject of staged.subjects) {
    await staged.connect(subject, { viewers: 500, executions: 1 });
    await staged.measure(subject, { inFlight: 4, forMs: WARM_UP_MS });
    await staged.disconnect();
  }
}

/** Ours and the chosen peers; what cannot be started here is left out, and said. */
function kindsFor({ peers }: Options, say: (line: string) => void): ServerKind[] {
  const chosen = [EXECSTREAM, ...PEERS.filter(({ name }) => peers.includes(name))];
  return chosen.filter((kind) => {
    const missing = kind.missing?.();
    if (missing !== undefined) say(`${kind.name} is left out: ${missing}`);
    return missing === undefined || kind.name === OURS;
  });
}

function described(measures: Readonly<Record<string, number>>): string {
  return Object.entries(measures)
    .map(([name, value]) => `${name} ${Number(value.toPrecision(4))}`)
    .join(', ');
}
