// The demo that READMEs of examples start, and the commands with which they follow its executions.
import { freePort } from '../../scripts/server-process.ts';
import { type Command, commandOf, replaced, runCommand } from '../docs/blocks.ts';

export interface Demo extends AsyncDisposable {
  readonly url: string;
  /** Runs the only command of the README that contains a text. */
  follow(part: string): Command;
}

/** Starts the demo as a README does, on a free port and faster. */
export async function startDemo(readme: string): Promise<Demo> {
  const port = await freePort();
  const url = `http://localhost:${port}`;
  const command = replaced(commandOf(readme, 'npx execstream'), {
    'npx execstream': `exec ${process.execPath} bin/execstream.js`,
  });
  const demo = runCommand(`${command} --pace 30`, { PORT: `${port}` });
  await demo.prints(/The demo is ready/, 60_000);
  return {
    url,
    follow: (part) => runCommand(commandOf(readme, part), { EXECSTREAM_URL: url }),
    [Symbol.asyncDispose]: () => demo[Symbol.asyncDispose](),
  };
}

/** The text of the demo's first agent. */
export async function guideOf({ url }: Demo): Promise<string> {
  const response = await fetch(`${url}/api/v0/executions/agents/demo-1-guide`);
  const { result } = (await response.json()) as { result: string };
  return result;
}

/** The lines of a README's output up to the one before the text. */
export function linesBeforeText(output: string): string {
  return output.slice(0, output.indexOf('# A guide'));
}
