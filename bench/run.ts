// One run: starts the stage and the servers, and runs the scenarios in repetitions.
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
/** The quick form repeats the scenarios while it stays within this time, except when it records. */
const QUICK_MS = 45_000;

/** @param onRepetition receives the results so far after each repetition */
export async function runAll(
  options: Options,
  dist: string,
  log: (line: string) => void,
  onRepetition: (results: Results, repetitions: number) => void = () => {},
): Promise<Results> {
  const results = new Results();
  const from = performance.now();
  const elapsed = () => `${((performance.now() - from) / 1_000).toFixed(0)} s`.padStart(6);
  const kinds = kindsFor(options, log);
  installPeers();
  const stage = await Stage.create(dist);
  const servers: Staged[] = [];
  try {
    const scenarios = SCENARIOS.filter(({ name }) => options.only.includes(name));
    if (scenarios.some(({ needsServers }) => needsServers)) {
      servers.push(...(await startAll(stage, kinds)));
      if (options.only.includes('B')) await Promise.all(servers.map((staged) => staged.begin(1_000)));
      for (const staged of servers) await warmUp(staged);
      log(`${elapsed()} all servers are running`);
    }
    for (let repetition = 0; repetition < options.repetitions; repetition++) {
      const beganAt = performance.now() - from;
      const run: Omit<Run, 'servers'> = {
        stage,
        kinds: rotated(kinds, repetition),
        subjectsOf: ({ subjects }) => (options.isQuick ? subjects.slice(0, 1) : subjects),
        isQuick: options.isQuick,
        profile: repetition === 0 ? options.profile : undefined,
        log,
        add: (scenario, subject, measures) => {
          results.add(scenario, subject, measures);
          log(`${elapsed()} ${repetition + 1} ${scenario}, ${subject}: ${described(measures)}`);
        },
      };
      for (const scenario of scenarios) {
        await replaceEnded(stage, servers, log);
        const isMeasured = ({ name }: ServerKind) =>
          name === OURS || scenario.comparesPeers || repetition === 0;
        await scenario.run({
          ...run,
          kinds: run.kinds.filter(isMeasured),
          servers: rotated(servers, repetition).filter(({ kind }) => isMeasured(kind)),
        });
      }
      onRepetition(results, repetition + 1);
      const endedAt = performance.now() - from;
      if (options.isQuick && !options.record && endedAt + (endedAt - beganAt) > QUICK_MS) break;
    }
    return results;
  } finally {
    await Promise.allSettled(servers.map((staged) => staged.stop()));
    await stage.stop();
  }
}

/** @throws Error if one cannot be started; the others, which would keep this process alive, are stopped first */
async function startAll(stage: Stage, kinds: readonly ServerKind[]): Promise<Staged[]> {
  const started = await Promise.allSettled(kinds.map((kind) => stage.start(kind)));
  const servers = started.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  const failed = started.find((each) => each.status === 'rejected');
  if (!failed) return servers;
  await Promise.allSettled(servers.map((staged) => staged.stop()));
  throw failed.reason;
}

/**
 * Restarts peers that have exited between two scenarios, for example after a client disconnected at a bad moment.
 */
async function replaceEnded(stage: Stage, servers: Staged[], log: (line: string) => void): Promise<void> {
  for (const [i, { kind, server }] of servers.entries()) {
    if (!server.hasEnded?.()) continue;
    if (kind.name === OURS) throw new Error('our server exited unexpectedly');
    log(`${kind.name} exited unexpectedly and is restarted`);
    const staged = await stage.start(kind);
    await warmUp(staged);
    servers[i] = staged;
  }
}

/** Gets hot code compiled before the first measurement, in all servers. */
async function warmUp(staged: Staged): Promise<void> {
  for (const subject of staged.subjects) {
    await staged.connect(subject, { viewers: 500, executions: 1 });
    await staged.measure(subject, { inFlight: 4, forMs: WARM_UP_MS });
    await staged.disconnect();
  }
}

/** Our server and the chosen peers. Peers that cannot be started are skipped and reported. */
function kindsFor({ peers }: Options, log: (line: string) => void): ServerKind[] {
  const chosen = [EXECSTREAM, ...PEERS.filter(({ name }) => peers.includes(name))];
  return chosen.filter((kind) => {
    const missing = kind.missing?.();
    if (missing !== undefined) log(`${kind.name} is skipped: ${missing}`);
    return missing === undefined || kind.name === OURS;
  });
}

function described(measures: Readonly<Record<string, number>>): string {
  return Object.entries(measures)
    .map(([name, value]) => `${name} ${Number(value.toPrecision(4))}`)
    .join(', ');
}
