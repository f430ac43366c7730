// vitest's configuration; `npm test` (scripts/test.ts) starts vitest and the servers that suites need.
import { createRequire } from 'node:module';
import { defineConfig } from 'vitest/config';

/** Suites whose files share the modules of a process. */
const SHARED = [
  'test/{architecture,async,auth,bench,client,coordination,event,execution,graphql,http,lifecycle,log,prove}/**/*.test.ts',
  'test/{publish,redact,redis,rest,source,sse,stream,support,tail,telemetry,temporal}/**/*.test.ts',
];

/** The exceptions among them. */
const ISOLATED = [
  // They replace modules, which must not have been loaded before.
  'test/graphql/event-executor.test.ts',
  'test/sse/socket-handle.test.ts',
  // It reads what Temporal's runtime logs, which a process has once.
  'test/temporal/source/costs.test.ts',
  // Its gateway replaces globals.
  'test/graphql/federation.test.ts',
  // They measure memory.
  'test/publish/redis.test.ts',
  'test/sse/back-pressure.test.ts',
];

export default defineConfig({
  resolve: {
    // Vite would resolve graphql to its ES modules for our sources, but Node loads the CommonJS ones for Pothos and
    // Yoga: two copies, which reject each other's schemas. Node alone always loads CommonJS, so this does too.
    alias: [{ find: /^graphql$/, replacement: createRequire(import.meta.url).resolve('graphql') }],
  },
  test: {
    // Processes instead of threads: suites handle signals, and load native modules and WASM databases.
    pool: 'forks',
    maxWorkers: 2,
    // For real servers on a busy machine with two cores; waits inside a test fail long before.
    testTimeout: 20_000,
    // Hooks start databases.
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'suites',
          include: ['test/**/*.test.ts'],
          exclude: ['test/chaos/**', ...SHARED],
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: { name: 'isolated', include: ISOLATED, sequence: { groupOrder: 0 } },
      },
      // To load the sources and the packages again for each file took much of the time (decision 0064). A file fails if it
      // leaves something to the next one.
      {
        extends: true,
        test: {
          name: 'together',
          include: SHARED,
          exclude: ISOLATED,
          isolate: false,
          setupFiles: ['test/support/leaks.ts'],
          sequence: { groupOrder: 0 },
        },
      },
      // Slow suites that load the entire machine: after all others, one at a time.
      {
        extends: true,
        test: {
          name: 'chaos',
          include: ['test/chaos/**/*.test.ts'],
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
