// Separates the runner's own arguments from those of vitest.

export interface Arguments {
  /** Install missing programs. */
  install: boolean;
  /** Print the table of programs and exit. */
  parts: boolean;
  /** All other arguments, in order, for vitest. */
  vitest: string[];
}

/** Parses a command line. */
export function parseArguments(argv: readonly string[]): Arguments {
  return {
    install: argv.includes('--install'),
    parts: argv.includes('--parts'),
    vitest: argv.filter((argument) => argument !== '--install' && argument !== '--parts'),
  };
}

/** The command line of vitest, with the JSON report from which the closing line is computed. */
export function vitestArguments(args: readonly string[], reportFile: string): string[] {
  const hasReporter = args.some((argument) => argument.startsWith('--reporter'));
  // Naming a reporter would disable vitest's default reporter.
  const reporters = hasReporter ? ['--reporter=json'] : ['--reporter=default', '--reporter=json'];
  return ['run', ...reporters, `--outputFile.json=${reportFile}`, ...args];
}

/** Whether this is CI: `CI` is set to a value other than 0 or false. */
export function isCi(env: Readonly<Record<string, string | undefined>>): boolean {
  return !['', '0', 'false'].includes(env.CI ?? '');
}
