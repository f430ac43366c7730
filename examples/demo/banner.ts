// The demo's terminal output: addresses, commands to paste, and which parts are embedded.
import type { Config } from '../../src/server/config/config.ts';
import { describeParts, type PartDescription } from '../../src/server/startup-report.ts';
import type { Round } from './worker/worker.ts';

const hasColours = process.stdout.isTTY && process.stdout.hasColors();
const bold = (text: string) => (hasColours ? `\x1b[1m${text}\x1b[22m` : text);
const dim = (text: string) => (hasColours ? `\x1b[2m${text}\x1b[22m` : text);

/**
 * The text shown once the server is ready.
 * @param isDevServer whether the demo started Temporal itself.
 */
export function banner(serverUrl: string, config: Config, isDevServer: boolean): string {
  const url = reachable(serverUrl);
  const addresses = [
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
    ...addresses.map(([name, address]) => `  ${name.padEnd(11)} ${address}`),
    '',
    ...parts.flatMap(({ part, is, limits }) => {
      const line = `  ${part.padEnd(11)} ${is}`;
      return limits ? [line, dim(`  ${''.padEnd(11)} ${limits}`)] : [line];
    }),
    '',
    dim('An agent starts to write in a few seconds; commands to paste follow. Ctrl-C stops the demo.'),
    '',
  ].join('\n');
}

function describeWork({ temporal }: Config, isDevServer: boolean): PartDescription {
  if (!temporal) {
    return {
      part: 'work',
      is: 'embedded: demo worker',
      limits: 'no Temporal: the workflow is a function in this process and ends with it',
    };
  }
  const is = "Temporal: the demo's worker runs its workflow and its activities";
  const limits = 'in-memory dev server, which ends with the demo; set TEMPORAL_ADDRESS to use another server';
  return { part: 'work', is, ...(isDevServer && { limits }) };
}

/** Commands to paste into another terminal, for an existing execution. */
export function curlLines(serverUrl: string, agentId: string, cursor: string): string {
  const url = reachable(serverUrl);
  const agent = `${url}/api/v0/executions/agents/${encodeURIComponent(agentId)}`;
  const subscription = `subscription { agentStream(id: "${agentId}") { id type data } }`;
  const graphql = `curl -N -G -H 'accept: text/event-stream' --data-urlencode 'query=${subscription}'`;
  return [
    bold('Watch an agent write:'),
    `curl -N ${agent}/stream`,
    '',
    bold('Resume after a cursor, and get exactly the rest:'),
    `curl -N -H 'Last-Event-ID: ${cursor}' ${agent}/stream`,
    '',
    bold('The same over GraphQL (the header also resumes it):'),
    `${graphql} ${url}/graphql`,
    '',
    bold('Its state, and its result once it has ended:'),
    `curl ${agent}`,
    '',
  ].join('\n');
}

/** One line for a completed round. */
export function roundLine(serverUrl: string, { number, files, words, workflowId }: Round): string {
  const summary = `Round ${number}: ${files} files, ${words.toLocaleString('en')} words.`;
  return `${summary} ${dim(`${reachable(serverUrl)}/#workflow/${workflowId}`)}`;
}

/** An address that can be opened: `0.0.0.0` means all addresses. */
function reachable(serverUrl: string): string {
  return serverUrl.replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//[::1]:');
}
