// The runner's own arguments, told from those that are vitest's.

export interface Arguments {
  /** Install what is missing. */
  install: boolean;
  /** Print the table of parts and stop. */
  parts: boolean;
  /** Everything else, in order: for vitest. */
  vitest: string[];
}

/** Takes the runner's own flags out of a command line. */
export function parseArguments(argv: readonly string[]): Arguments {
  return {
    install: argv.includes('--install'),
    parts: argv.includes('--parts'),
    vitest: argv.filter((argument) => argument !== '--install' && argument !== '--parts'),
  };
}

/** The command line of vitest, with the JSON report that the closing line is counted from. */
export function vitestArguments(given: readonly string[], reportFile: string): string[] {
  const hasReporter = given.some((argument) => argument.startsWith('--reporter'));
  // vitest's default reporter is there only until another is named.
  const reporters = hasReporter ? ['--reporter=json'] : ['--reporter=default', '--reporter=json'];
  return ['run', ...reporters, `--outputFile.json=${reportFile}`, ...given];
}

/** Whether this is CI: `CI` is set, and to nothing that says no. */
export function isCi(env: Readonly<Record<string, string | undefined>>): boolean {
  return !['', '0', 'false'].includes(env.CI ?? '');
}
