// How vitest runs the suites; `npm test` (scripts/test.ts) starts it with the servers that they need.
import { createRequire } from 'node:module';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: {
    // Vite would give our sources graphql's ES modules, while Pothos and Yoga, which Node loads, get its CommonJS ones:
    // two copies, which refuse each other's schemas. In Node itself all get the latter, so here too.
    alias: [{ find: /^graphql$/, replacement: createRequire(import.meta.url).resolve('graphql') }],
  },
  test: {
    // Processes rather than threads: suites handle signals, load native modules and WASM databases.
    pool: 'forks',
    maxWorkers: 2,
    // Real servers on a busy machine of two cores; a test that waits for an event says so itself long before.
    testTimeout: 20_000,
    // Starting a database is a hook's work.
    hookTimeout: 60_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'suites',
          include: ['test/**/*.test.ts'],
          exclude: ['test/chaos/**'],
          sequence: { groupOrder: 0 },
        },
      },
      // The slow ones, which load the whole machine: after all others, one at a time.
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
