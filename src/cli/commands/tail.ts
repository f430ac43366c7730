// `execstream tail`: follows an execution until it ends.
import { Command } from 'commander';
import { cursorOf, eventTypesOf, ID_ARGUMENT, idOf, KIND_ARGUMENT, kindOf } from '../execution-arguments.ts';
import { runAction } from '../run-action.ts';
import { addServerOptions, type ServerOptions, serverUrlOf } from '../server-access.ts';
import { showExecution } from '../show-execution.ts';
import type { ViewOptions } from '../view/create-view.ts';

interface TailOptions extends ServerOptions, ViewOptions {
  readonly after?: string;
  readonly events?: string;
}

export function tailCommand(): Command {
  return addServerOptions(new Command('tail'))
    .description(
      'Follow an execution until it ends: its text or value as it grows, tool calls and status. Lost connections are' +
        ' resumed. In a pipe, stdout has only the text or value, and of a workflow the lines of its events.',
    )
    .argument(...KIND_ARGUMENT)
    .argument(...ID_ARGUMENT)
    .option('--after <cursor>', 'begin after this cursor, such as 42-k3f9ab01zz')
    .option('--events <types>', 'only these event types, separated by commas')
    .option('--json', 'print each event as one line of JSON')
    .option('--no-color', 'do not use colours (also: NO_COLOR)')
    .addHelpText(
      'after',
      `
Examples:
  execstream tail agent report-42
  execstream tail agent report-42 > report.md
  execstream tail workflow order-7 --json | jq -r 'select(.type == "tool_call") | .data.toolName'`,
    )
    .action((kind: string, id: string, options: TailOptions) =>
      runAction(async () =>
        showExecution({
          ...options,
          kind: kindOf(kind),
          id: idOf(id),
          url: serverUrlOf(options.url),
          token: options.token || undefined,
          after: cursorOf(options.after),
          events: eventTypesOf(options.events),
        }),
      ),
    );
}
