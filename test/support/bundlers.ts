// Rollup for suites.
//
//   describe.skipIf(!hasRollup)('with Rollup', () => {
//     const { rollup } = requireRollup('rollup');
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { BUNDLERS, findPart } from '../../scripts/test-services.ts';

const folder = findPart(BUNDLERS);

/** Whether Rollup is installed. */
export const hasRollup = folder !== undefined;

/** One of the packages of scripts/bundlers.ts, whose types are no dependency. */
// biome-ignore lint/suspicious/noExplicitAny: Rollup is not a dependency, so its types are absent.
export function requireRollup(name: string): any {
  return createRequire(join(folder!, 'package.json'))(name);
}
