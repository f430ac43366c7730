// Runs the `execstream` command of this checkout, as a shell would.
import { type Command, runCommand } from '../docs/blocks.ts';

/** A command in progress. `await using` ends it. */
export function startExecstream(args: string, env: Readonly<Record<string, string>> = {}): Command {
  // Replaces the shell, so that signals and exit codes are those of the command.
  return runCommand(`exec ${process.execPath} bin/execstream.js ${args}`, env);
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
  await using command = startExecstream(args, env);
  const code = await command.exited;
  return { code, stdout: command.stdout, stderr: command.stderr };
}

/** The environment of a client command. */
export function withServer(url: string): Record<string, string> {
  return { EXECSTREAM_URL: url };
}
