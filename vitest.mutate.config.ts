// The suites that mutation tests run (scripts/mutate.ts): those of one folder of src/, of which MUTATE_PART may be a part,
// without the suites that start servers of their own: log/redis/ is not mutated, and Redis would slow down every other
// mutant. Suites with a browser, other clients or a gateway are left out for the same reason.
import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import base from './vitest.config.ts';

const part = process.env.MUTATE_PART ?? 'event';
const [folder] = part.split('/');

/**
 * A run ends with the first failure, and vitest would begin with the suites that take longest: those of the mutated part
 * come first, then small ones.
 */
class NearAndSmallFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const cost = ({ moduleId }: TestSpecification) =>
      statSync(moduleId).size + (dirname(moduleId).endsWith(`/test/${part}`) ? 0 : 1e9);
    return files.toSorted((one, other) => cost(one) - cost(other));
  }
}

export default defineConfig({
  resolve: base.resolve,
  test: {
    pool: 'forks',
    // One module registry for all files of a run: loading the sources again for each file took most of the time.
    isolate: false,
    sequence: { sequencer: NearAndSmallFirst },
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
