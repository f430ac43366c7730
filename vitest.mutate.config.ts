// The suites that mutation tests run (scripts/mutate.ts): those of one folder of src/, named by MUTATE_FOLDER, without
// the suites that start servers of their own.
import { defineConfig } from 'vitest/config';
import base from './vitest.config.ts';

const folder = process.env.MUTATE_FOLDER ?? 'event';

export default defineConfig({
  resolve: base.resolve,
  test: {
    pool: 'forks',
    include: [`test/${folder}/**/*.test.ts`],
    testTimeout: 20_000,
  },
});
