// A step of CI: checks the production dependencies for known vulnerabilities, and fails for those of high severity
// or above. If the registry does not support audits, prints only a warning to standard output.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The result of an audit: a summary, or a warning that it could not be made. */
export interface Audit {
  readonly isFailed: boolean;
  readonly summary: string;
  readonly warning?: string;
}

interface Report {
  message?: string;
  metadata?: { vulnerabilities?: Record<string, number> };
  vulnerabilities?: Record<string, { severity: string; range: string }>;
}

const SEVERE = ['high', 'critical'];

/** @param output the output of `npm audit --json`. */
export function readAudit(output: string): Audit {
  const report = parse(output);
  const counts = report?.metadata?.vulnerabilities;
  if (!counts) {
    const reason = (report?.message ?? output.trim().split('\n')[0]) || 'npm audit printed nothing';
    const warning = `WARNING: dependencies were NOT audited for known vulnerabilities: ${reason}`;
    return { isFailed: false, summary: warning, warning };
  }
  const listed = Object.entries(report.vulnerabilities ?? {}).map(
    ([name, { severity, range }]) => `  ${severity}: ${name} ${range}`,
  );
  const isFailed = SEVERE.some((severity) => (counts[severity] ?? 0) > 0);
  return { isFailed, summary: [`npm audit: ${counts.total ?? listed.length} known`, ...listed].join('\n') };
}

function parse(output: string): Report | undefined {
  try {
    return JSON.parse(output) as Report;
  } catch {
    return undefined;
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { stdout, stderr } = spawnSync('npm', ['audit', '--omit=dev', '--json'], { encoding: 'utf8' });
  const { isFailed, summary, warning } = readAudit(stdout || stderr);
  console.error(summary);
  if (warning) console.log(warning);
  process.exitCode = isFailed ? 1 : 0;
}
