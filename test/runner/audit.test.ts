// The audit of CI: a vulnerability of high severity fails it, and an audit that was not made prints a warning.
import { expect, test } from 'vitest';
import { readAudit } from '../../scripts/audit.ts';

const report = (counts: Record<string, number>, vulnerabilities = {}) =>
  JSON.stringify({ auditReportVersion: 2, vulnerabilities, metadata: { vulnerabilities: counts } });

test('an audit without vulnerabilities passes without a warning', () => {
  expect(readAudit(report({ high: 0, critical: 0, total: 0 }))).toEqual({
    isFailed: false,
    summary: 'npm audit: 0 known',
  });
});

test('an audit fails for vulnerabilities of high severity only', () => {
  const vulnerabilities = { left: { severity: 'high', range: '<2' } };
  expect(readAudit(report({ high: 1, total: 1 }, vulnerabilities))).toEqual({
    isFailed: true,
    summary: 'npm audit: 1 known\n  high: left <2',
  });
  expect(readAudit(report({ moderate: 3, high: 0, critical: 0, total: 3 })).isFailed).toBe(false);
});

test.each([
  [
    'a registry that does not support audits',
    JSON.stringify({ message: '405 Method Not Allowed' }),
    '405 Method Not Allowed',
  ],
  ['an unreachable registry', 'npm error network timeout\nnpm error log', 'npm error network timeout'],
  ['no output', '', 'npm audit printed nothing'],
])('%s prints a warning with the reason and does not fail', (_, output, reason) => {
  const warning = `WARNING: dependencies were NOT audited for known vulnerabilities: ${reason}`;
  expect(readAudit(output)).toEqual({ isFailed: false, summary: warning, warning });
});
