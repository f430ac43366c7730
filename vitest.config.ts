// vitest's configuration; `npm test` (scripts/test.ts) starts vitest and the servers that suites need.
import { createRequire } from 'node:module';
import { defineConfig } from 'vitest/config';

/**
 * Suites whose files share the modules of a process (decision 0064): to load the sources and the packages again for each
 * file took most of their time. test/support/leaks.ts fails a file that leaves something to the next one.
 */
const SHARED_MODULES = [
  'test/{async,coordination,event,lifecycle,log,publish,redact,redis,source,stream,tail,telemetry}/**/*.test.ts',
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
          exclude: ['test/chaos/**', ...SHARED_MODULES],
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'shared modules',
          include: SHARED_MODULES,
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
