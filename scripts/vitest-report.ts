// Counts the tests in vitest's JSON report, and computes the exit code of the run.

/** The part of vitest's JSON report that is used here. */
export interface Report {
  testResults: {
    name: string;
    status: string;
    message?: string;
    assertionResults: { fullName: string; status: string }[];
  }[];
}

/** The result of a run. */
export interface Tally {
  passed: number;
  failed: number;
  /** The names of skipped and todo tests. */
  skipped: string[];
}

/** Counts the tests. A file that failed to load, so that none of its tests ran, counts as one failed test. */
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
 * The exit code of a run: vitest's exit code; in CI, where every program is installed, skipped tests also fail.
 * @param code vitest's exit code; null if a signal ended it.
 */
export function judge(result: Tally, code: number | null, inCi: boolean): number {
  if (code !== 0) return code ?? 1;
  return inCi && result.skipped.length > 0 ? 1 : 0;
}

/** The line that CI reads. It never reports "0 failed" for a run that failed for another reason. */
export function closingLine({ passed, failed, skipped }: Tally, exitCode: number): string {
  const shown = exitCode !== 0 && failed === 0 ? 1 : failed;
  return `${passed} passed, ${shown} failed, ${skipped.length} skipped`;
}
