// The commands of `execstream`. Only those that the arguments name are loaded: `execstream tail --help` does not load the
// server.
import { Command, CommanderError } from 'commander';
import { VERSION } from '../telemetry/version.gen.ts';
import { EXIT_CODES, EXIT_CODES_HELP } from './exit-codes.ts';

interface CommandEntry {
  /** In the list of commands. */
  readonly summary: string;
  readonly load: () => Promise<Command>;
}

const COMMANDS: { readonly [name: string]: CommandEntry } = {
  start: {
    summary: 'start the server',
    load: async () => (await import('./commands/start.ts')).startCommand(),
  },
  tail: {
    summary: 'follow an execution: its text as it grows, tool calls and status',
    load: async () => (await import('./commands/tail.ts')).tailCommand(),
  },
  ls: {
    summary: 'list executions, newest first',
    load: async () => (await import('./commands/ls.ts')).lsCommand(),
  },
  state: {
    summary: 'show the state of an execution, and its result',
    load: async () => (await import('./commands/state.ts')).stateCommand(),
  },
  replay: {
    summary: 'show the events of an execution again, at their original pace',
    load: async () => (await import('./commands/replay.ts')).replayCommand(),
  },
  doctor: {
    summary: 'check the connection to a server, and the proxies in between',
    load: async () => (await import('./commands/doctor.ts')).doctorCommand(),
  },
  config: {
    summary: 'show the settings of a server and where each comes from',
    load: async () => (await import('./commands/config.ts')).configCommand(),
  },
  migrate: {
    summary: 'apply the migrations of the database',
    load: async () => (await import('./commands/migrate.ts')).migrateCommand(),
  },
  demo: {
    summary: 'start a server with a worker, to try the other commands',
    load: async () => (await import('./commands/demo.ts')).demoCommand(),
  },
};

/** Parses the arguments, runs the command and sets the exit code. */
export async function runProgram(args: readonly string[]): Promise<void> {
  try {
    await (await createProgram(args)).parseAsync(args, { from: 'user' });
  } catch (error) {
    // Help and the version are errors for the library, too. It has written the message.
    if (!(error instanceof CommanderError)) throw error;
    process.exitCode = error.exitCode === 0 ? EXIT_CODES.success : EXIT_CODES.usage;
  }
}

async function createProgram(args: readonly string[]): Promise<Command> {
  const program = new Command('execstream')
    .description('Live, resumable streams of workflow, agent and task executions')
    .version(VERSION, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .helpCommand('help [command]', 'show the help of a command')
    .addHelpText('after', `\n${EXIT_CODES_HELP}`)
    .showHelpAfterError('See --help.')
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'execstream: ')) })
    .exitOverride();
  for (const [name, { summary, load }] of Object.entries(COMMANDS)) {
    const command = args.includes(name) ? await load() : new Command(name);
    program.addCommand(command.summary(summary).copyInheritedSettings(program));
  }
  return program;
}
