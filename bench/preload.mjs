// Loaded into Node servers before their own code. It is idle until the benchmark sends SIGUSR2: then it runs the
// command in the file that BENCH_COMMAND names, and prints the result as a line on stdout.
import { readFileSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** In ms. The measured delay is how much later than this a timer of this interval fires. */
const RESOLUTION_MS = 1;

let delay;
let session;

const commands = {
  collect() {
    setFlagsFromString('--expose-gc');
    runInNewContext('gc')();
  },
  watchDelay() {
    delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    delay.enable();
  },
  readDelay() {
    delay.disable();
    const beyondMs = (ns) => Math.max(0, ns / 1e6 - RESOLUTION_MS);
    const [p50, p99, p999] = [50, 99, 99.9].map((share) => beyondMs(delay.percentile(share)));
    return { p50, p99, p999, max: beyondMs(delay.max) };
  },
  startProfile() {
    session = new Session();
    session.connect();
    session.post('Profiler.enable');
    session.post('Profiler.setSamplingInterval', { interval: 200 });
    session.post('Profiler.start');
  },
  writeProfile(file) {
    session.post('Profiler.stop', (_, { profile }) => writeFileSync(file, JSON.stringify(profile)));
    session.disconnect();
  },
};

process.on('SIGUSR2', () => {
  const [name, ...args] = readFileSync(process.env.BENCH_COMMAND, 'utf8').split(' ');
  process.stdout.write(`bench-result ${JSON.stringify(commands[name](...args) ?? null)}\n`);
});
