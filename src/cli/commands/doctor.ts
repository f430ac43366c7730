// `execstream doctor`: diagnoses the path between this machine and a server, and shows the changes that it needs.
import { Command } from 'commander';
import { invalidInput } from '../../event/errors.ts';
import type { Finding, Verdict } from '../doctor/finding.ts';
import { runChecks } from '../doctor/run-checks.ts';
import { EXIT_CODES } from '../exit-codes.ts';
import { runAction } from '../run-action.ts';
import { addServerOptions, type ServerOptions, serverUrlOf } from '../server-access.ts';
import { createStyle, type Style } from '../view/style.ts';
import { sanitizeLine, wrapRows } from '../view/text-width.ts';

interface DoctorOptions extends ServerOptions {
  readonly origin?: string;
  readonly thorough?: true;
  readonly json?: true;
  readonly color: boolean;
}

export function doctorCommand(): Command {
  return addServerOptions(new Command('doctor'))
    .description(
      'Check the connection to a server and everything in between: buffering and compressing proxies, idle timeouts,' +
        ' connection limits, clocks, CORS, resuming, authentication and versions. Shows what to change, and exits with' +
        ' 1 if it has found a problem. It needs no execution, except to check resuming.',
    )
    .argument('[url]', 'the server, as clients reach it')
    .option('--origin <origin>', 'check whether pages of this origin may use the server')
    .option('--thorough', 'also wait for the heartbeats of an idle stream, up to 90 s')
    .option('--json', 'print each finding as one line of JSON')
    .option('--no-color', 'do not use colours (also: NO_COLOR)')
    .action((url: string | undefined, options: DoctorOptions) => runAction(() => diagnose(url, options)));
}

async function diagnose(url: string | undefined, options: DoctorOptions): Promise<number> {
  const { token, origin, thorough, json, color } = options;
  const style = createStyle(process.stdout, color);
  const findings: Finding[] = [];
  const target = {
    url: url === undefined ? serverUrlOf(options.url) : serverUrlOf(url, 'url'),
    token: token || undefined,
    origin: originOf(origin),
    isThorough: thorough ?? false,
  };
  for await (const finding of runChecks(target)) {
    findings.push(finding);
    process.stdout.write(
      json ? `${JSON.stringify(finding)}\n` : formatFinding(finding, style, process.stdout.columns),
    );
  }
  if (!json) process.stdout.write(`\n${summaryOf(findings)}\n`);
  return findings.some(({ verdict }) => verdict === 'problem') ? EXIT_CODES.failed : EXIT_CODES.success;
}

function originOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const { origin = 'null' } = URL.canParse(text) ? new URL(text) : {};
  if (origin !== 'null') return origin;
  throw invalidInput(
    `--origin: expected an origin, such as https://app.example.com, got "${text.slice(0, 80)}"`,
  );
}

const LABELS: { readonly [V in Verdict]: (style: Style) => string } = {
  ok: (style) => style.green('ok     '),
  warning: (style) => style.yellow('warning'),
  problem: (style) => style.red('problem'),
  skipped: (style) => style.dim('skipped'),
};

/** The columns before the message. */
const INDENT = 25;
const MIN_COLUMNS = 20;

/**
 * A paragraph, and one for the advice.
 * @param columns the width of the terminal; undefined: paragraphs are not wrapped
 */
export function formatFinding(
  { check, verdict, message, advice }: Finding,
  style: Style,
  columns = Number.POSITIVE_INFINITY,
): string {
  const paragraph = (text: string, indent: number) =>
    wrapRows(sanitizeLine(text), Math.max(MIN_COLUMNS, columns - indent)).join(`\n${' '.repeat(indent)}`);
  const text = paragraph(message, INDENT);
  const line = `${LABELS[verdict](style)}  ${check.padEnd(14)}  ${verdict === 'skipped' ? style.dim(text) : text}\n`;
  if (advice === undefined) return line;
  return `${line}${' '.repeat(INDENT)}${style.bold('→')} ${paragraph(advice, INDENT + 2)}\n`;
}

function summaryOf(findings: readonly Finding[]): string {
  const count = (verdict: Verdict) => findings.filter((finding) => finding.verdict === verdict).length;
  const plural = (n: number, noun: string) => `${n} ${noun}${n === 1 ? '' : 's'}`;
  return `${plural(count('problem'), 'problem')}, ${plural(count('warning'), 'warning')}`;
}
