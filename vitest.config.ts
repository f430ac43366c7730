// How vitest runs the suites; `npm test` (scripts/test.ts) starts it with the servers that they need.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Processes rather than threads: suites handle signals, load native modules and WASM databases.
    pool: 'forks',
    maxWorkers: 2,
    // Real servers on a busy machine of two cores; a test that waits for an event says so itself long before.
    testTimeout: 20_000,
    // Starting a database is a hook's work.
    hookTimeout: 60_000,
  },
});
