// Counts the tests of a run from vitest's JSON report, and judges the run.

/** What this reads of vitest's JSON report. */
export interface Report {
  testResults: {
    name: string;
    status: string;
    message?: string;
    assertionResults: { fullName: string; status: string }[];
  }[];
}

/** How a run went. */
export interface Tally {
  passed: number;
  failed: number;
  /** The names of tests that were skipped or are still to be written. */
  skipped: string[];
}

/** Counts the tests. A file that could not be loaded, so that none of its tests ran, counts as one that failed. */
export function tally(report: Report): Tally {
  const result: Tally = { passed: 0, failed: 0, skipped: [] };
  for (const file of report.testResults) {
    const failedBefore = result.failed;
    for (const test of file.assertionResults) {
      if (test.status === 'passed') result.passed++;
      else if (test.status === 'failed') result.failed++;
      else result.skipped.push(`${file.name}: ${test.fullName}`);
    }
    if (file.status === 'failed' && result.failed === failedBefore) result.failed++;
  }
  return result;
}

/**
 * The exit code of a run: vitest's own; and in CI, where every part is there, a skipped test is a failure too.
 * @param code vitest's exit code; null if a signal ended it.
 */
export function judge(counted: Tally, code: number | null, inCi: boolean): number {
  if (code !== 0) return code ?? 1;
  return inCi && counted.skipped.length > 0 ? 1 : 0;
}

/** The line that CI reads. A run that failed never says "0 failed", whatever failed in it. */
export function closingLine({ passed, failed, skipped }: Tally, exitCode: number): string {
  const shown = exitCode !== 0 && failed === 0 ? 1 : failed;
  return `${passed} passed, ${shown} failed, ${skipped.length} skipped`;
}
