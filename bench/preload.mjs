// Loaded into servers of Node before their own code: does nothing until the benchmark asks it, by SIGUSR2 and the
// words in the file that BENCH_LOOK names, and answers with a line on stdout.
import { readFileSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** In ms. What is measured is how much later than this a timer of this fires. */
const RESOLUTION_MS = 1;

let delay;
let session;

const looks = {
  collect() {
    setFlagsFromString('--expose-gc');
    runInNewContext('gc')();
  },
  watchDelay() {
    delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    delay.enable();
  },
  tellDelay() {
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
  const [name, ...words] = readFileSync(process.env.BENCH_LOOK, 'utf8').split(' ');
  process.stdout.write(`bench-look ${JSON.stringify(looks[name](...words) ?? null)}\n`);
});
