// The suites that mutation tests run (scripts/mutate.ts): those of one folder of src/, named by MUTATE_FOLDER, without
// the suites that start servers of their own: log/redis/ is not mutated, and Redis would slow down every other mutant.
// Suites with a browser, other clients or a gateway are left out for the same reason.
import { defineConfig } from 'vitest/config';
import base from './vitest.config.ts';

const folder = process.env.MUTATE_FOLDER ?? 'event';

export default defineConfig({
  resolve: base.resolve,
  test: {
    pool: 'forks',
    // One module registry for all files of a run: loading the sources again for each file took most of the time.
    isolate: false,
    include: [`test/${folder}/**/*.test.ts`],
    exclude: [
      'test/log/redis*.test.ts',
      'test/log/topologies/**',
      'test/publish/redis.test.ts',
      'test/graphql/{graphiql,clients,federation}.test.ts',
    ],
    env: { PROPERTY_SHARE: '0.05' },
    testTimeout: 20_000,
  },
});
