// Checks a property with many random cases. A failure reports how to repeat them.
import fc from 'fast-check';

/** The number of cases of each property; `PATCH_CASES=100000` for the full run. */
export const PATCH_CASES = Number(process.env.PATCH_CASES ?? 300);
/** The seed of the cases; set `PATCH_SEED` to repeat an earlier run. */
export const PATCH_SEED = Number(process.env.PATCH_SEED ?? Date.now() % 1_000_000_000);

/** A timeout for one property with `PATCH_CASES` cases, in ms. */
export const PATCH_TIMEOUT_MS = 60_000 + PATCH_CASES * 30;

/**
 * Checks `PATCH_CASES` cases, one after the other.
 * @throws Error with the seed and the smallest failing case.
 */
export async function checkCases<T>(
  cases: fc.Arbitrary<T>,
  check: (each: T) => Promise<void>,
): Promise<void> {
  const result = await fc.check(fc.asyncProperty(cases, check), { numRuns: PATCH_CASES, seed: PATCH_SEED });
  if (!result.failed) return;
  const { counterexample, errorInstance, numRuns, numShrinks } = result;
  throw new Error(
    [
      `failed at case ${numRuns} of ${PATCH_CASES} (${numShrinks} shrinks)`,
      `  repeat: PATCH_SEED=${PATCH_SEED} PATCH_CASES=${PATCH_CASES}`,
      `  case: ${JSON.stringify(counterexample?.[0])}`,
    ].join('\n'),
    { cause: errorInstance },
  );
}
