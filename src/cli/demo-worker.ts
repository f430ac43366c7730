// The work of `execstream demo`: a workflow whose agent writes a guide to the other commands, repeated.
import { delay } from '../async/delay.ts';
import type { Publisher } from '../publish/transport-publisher.ts';

export interface DemoOptions {
  readonly publisher: Publisher;
  /** Appended to the commands in the guide. */
  readonly serverFlag: string;
  /** The speed, as a multiple of a person's reading speed. */
  readonly pace: number;
  readonly signal: AbortSignal;
  /** Called when the agent of a round can be watched. */
  onRound(round: Round): void;
}

export interface Round {
  readonly workflowId: string;
  readonly agentId: string;
}

const WORD_MS = 150;
const PAUSE_MS = 5_000;

/** Runs one workflow after another until the signal aborts. */
export async function runDemo(options: DemoOptions): Promise<void> {
  const { signal, pace } = options;
  for (let number = 1; !signal.aborted; number += 1) {
    await runRound(options, { workflowId: `demo-${number}`, agentId: `demo-${number}-guide` });
    await delay(PAUSE_MS / pace, signal, true);
  }
}

async function runRound(options: DemoOptions, round: Round): Promise<void> {
  const { publisher, serverFlag, onRound } = options;
  const { workflowId, agentId: executionId } = round;
  const workflow = await publisher.begin({ id: workflowId, kind: 'workflow', name: 'demo' });
  await workflow.status('RUNNING', 'write the guide');
  const name = { agentId: 'guide', action: 'write' };
  const child = { id: executionId, kind: 'agent', name: 'guide', parentId: workflowId } as const;
  const agent = await publisher.begin({ ...child, ...name });
  await workflow.emit('agent_start', { ...name, executionId });
  onRound(round);

  const tool = { toolCallId: 'list-1', toolName: 'list_commands' };
  await agent.toolCall({ ...tool, status: 'started', args: { of: 'execstream' } });
  const guide = guideOf(round, serverFlag);
  await agent.toolCall({
    ...tool,
    status: 'succeeded',
    result: { lines: guide.split('\n').length },
    durationMs: 1,
  });
  await agent.status('RUNNING', 'write');
  await agent.text(wordsOf(guide, options));
  if (options.signal.aborted) {
    await agent.fail('The demo was stopped', { status: 'CANCELED', code: 'STOPPED' });
    await workflow.fail('The demo was stopped', { status: 'CANCELED', code: 'STOPPED' });
    return;
  }
  await agent.complete();
  await workflow.emit('agent_status', { status: 'SUCCESS', step: 'guide', executionId });
  await workflow.complete({ characters: guide.length });
}

async function* wordsOf(text: string, { pace, signal }: DemoOptions): AsyncGenerator<string> {
  for (const word of text.match(/\s*\S+|\s+$/g) ?? []) {
    if (signal.aborted) return;
    yield word;
    await delay(WORD_MS / pace, signal, true);
  }
}

function guideOf({ workflowId, agentId }: Round, serverFlag: string): string {
  const command = (args: string) => `    npx execstream ${args}${serverFlag}`;
  return `# A guide, as it is written

An agent publishes this text, one word at a time. Every program that watches it gets all words, from the first one, also if
it connects late or loses its connection.

Stop this command with Ctrl-C. It prints a cursor; the same command with that cursor continues after the last word.

The workflow that runs the agent has a stream of its events:

${command(`tail workflow ${workflowId}`)}

Programs read each event as a line of JSON:

${command(`tail agent ${agentId} --json`)}

When it has ended, it can be shown again, faster:

${command(`replay agent ${agentId} --speed 4x`)}

A connection through proxies can be checked, also from another machine:

${command('doctor')}
`;
}
