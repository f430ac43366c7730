// Runs the `execstream` command of this checkout, as a shell would. program.test.ts and tail.test.ts run bin/execstream.js
// itself.
import { type Command, runCommand } from '../docs/blocks.ts';
import { compiledProgram } from '../support/compiled-program.ts';

/** A command in progress. `await using` ends it. */
export async function startExecstream(
  args: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Command> {
  const program = await compiledProgram('src/cli/main.ts');
  // Replaces the shell, so that signals and exit codes are those of the command.
  return runCommand(`exec ${process.execPath} ${program.join(' ')} ${args}`, env);
}

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command to its end. */
export async function execstream(
  args: string,
  env: Readonly<Record<string, string>> = {},
): Promise<CommandResult> {
  await using command = await startExecstream(args, env);
  const code = await command.exited;
  return { code, stdout: command.stdout, stderr: command.stderr };
}

/** The environment of a client command. */
export function withServer(url: string): Record<string, string> {
  return { EXECSTREAM_URL: url };
}
