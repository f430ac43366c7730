// What the terminal shows: where to look, what to paste, and which part is embedded or real.
import type { Config } from '../../src/server/config/config.ts';
import { describeParts, type PartDescription } from '../../src/server/startup-report.ts';
import type { Round } from './worker/worker.ts';

const hasColours = process.stdout.isTTY && process.stdout.hasColors();
const bold = (text: string) => (hasColours ? `\x1b[1m${text}\x1b[22m` : text);
const dim = (text: string) => (hasColours ? `\x1b[2m${text}\x1b[22m` : text);

/**
 * Shown once the server is ready.
 * @param isDevServer whether Temporal is the demo's own.
 */
export function banner(serverUrl: string, config: Config, isDevServer: boolean): string {
  const url = reachable(serverUrl);
  const places = [
    ['Console', `${url}/`],
    ['GraphiQL', `${url}/graphql`],
    ['REST', `${url}/api/v0/executions/{workflows|agents|tasks}/{id}[/stream]`],
    ['Health', `${url}/health/ready`],
  ] as const;
  const parts = [...describeParts(config), describeWork(config, isDevServer)];
  return [
    '',
    `${bold('execstream is ready')}: ${url}`,
    '',
    ...places.map(([name, place]) => `  ${name.padEnd(11)} ${place}`),
    '',
    ...parts.flatMap(({ part, is, limits }) => {
      const line = `  ${part.padEnd(11)} ${is}`;
      return limits ? [line, dim(`  ${''.padEnd(11)} ${limits}`)] : [line];
    }),
    '',
    dim('An agent begins to write in a few seconds; lines to paste follow. Ctrl-C stops.'),
    '',
  ].join('\n');
}

function describeWork({ temporal }: Config, isDevServer: boolean): PartDescription {
  if (!temporal) {
    return {
      part: 'work',
      is: 'embedded: demo worker',
      limits: 'no Temporal: its workflow is a function of this process, and ends with it',
    };
  }
  const is = "Temporal: the demo's worker runs its workflow and its activities";
  const limits = "the server is the demo's own, in memory, and ends with it; TEMPORAL_ADDRESS names another";
  return { part: 'work', is, ...(isDevServer && { limits }) };
}

/** Lines to paste into another terminal, with an execution that is there. */
export function curlLines(serverUrl: string, agentId: string, cursor: string): string {
  const url = reachable(serverUrl);
  const agent = `${url}/api/v0/executions/agents/${encodeURIComponent(agentId)}`;
  const subscription = `subscription { agentStream(id: "${agentId}") { id type data } }`;
  const graphql = `curl -N -G -H 'accept: text/event-stream' --data-urlencode 'query=${subscription}'`;
  return [
    bold('Watch an agent write:'),
    `curl -N ${agent}/stream`,
    '',
    bold('Come back with a cursor, and get exactly the rest:'),
    `curl -N -H 'Last-Event-ID: ${cursor}' ${agent}/stream`,
    '',
    bold('The same over GraphQL (the header resumes it too):'),
    `${graphql} ${url}/graphql`,
    '',
    bold('Its state, and its result once it has ended:'),
    `curl ${agent}`,
    '',
  ].join('\n');
}

/** One line for a round that is over. */
export function roundLine(serverUrl: string, { number, files, words, workflowId }: Round): string {
  const done = `Round ${number}: ${files} files, ${words.toLocaleString('en')} words.`;
  return `${done} ${dim(`${reachable(serverUrl)}/#workflow/${workflowId}`)}`;
}

/** An address that one can open: `0.0.0.0` means every address, and is none. */
function reachable(serverUrl: string): string {
  return serverUrl.replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//[::1]:');
}
