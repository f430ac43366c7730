// A step of CI: checks what is shipped against the registry's known vulnerabilities. One of high severity or above
// fails it. Prints a warning on standard output, and nothing else there, if the registry makes no audits.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** What an audit came to: a summary; or a warning that there was none. */
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

/** @param output What `npm audit --json` has printed. */
export function readAudit(output: string): Audit {
  const report = parse(output);
  const counts = report?.metadata?.vulnerabilities;
  if (!counts) {
    const reason = (report?.message ?? output.trim().split('\n')[0]) || 'npm audit printed nothing';
    const warning = `WARNING: dependencies were NOT audited for known vulnerabilities: ${reason}`;
    return { isFailed: false, summary: warning, warning };
  }
  const found = Object.entries(report.vulnerabilities ?? {}).map(
    ([name, { severity, range }]) => `  ${severity}: ${name} ${range}`,
  );
  const isFailed = SEVERE.some((severity) => (counts[severity] ?? 0) > 0);
  return { isFailed, summary: [`npm audit: ${counts.total ?? found.length} known`, ...found].join('\n') };
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
