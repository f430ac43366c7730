// Shows an execution in a terminal until it ends: its text as it grows, or its value at the end, and its other events. In a
// pipe, stdout has only the text or value, and stderr the rest.
//
//   node --import tsx examples/terminal/watch.ts workflow|agent|task ID
import { once } from 'node:events';
import { createClient, type ExecutionKind, initialState, reduce } from '../../src/client/index.ts'; // 'execstream/client'

const [kind = 'agent', id = ''] = process.argv.slice(2) as [ExecutionKind, string];
const client = createClient({ url: process.env.EXECSTREAM_URL ?? 'http://localhost:4000' });

let isInLine = false;
// A reader such as `head` has closed the pipe.
process.stdout.once('error', () => process.exit());

try {
  let state = initialState(kind);
  for await (const event of client.watch(kind, id)) {
    const { text = '' } = state;
    state = reduce(state, event);
    if (event.type === 'llm_chunk') {
      await write(event.data.content);
      continue;
    }
    note(`${event.type} ${JSON.stringify(event.data)}`);
    // A `reset` and a `gap` replace the text, and the end completes one that a `gap` has cut.
    const { text: newText = '' } = state;
    if (newText !== text) await write(`\n${newText}`);
  }
  if (state.completeness === 'partial') note('the beginning is missing');
  if (state.value != null) await write(JSON.stringify(state.value, null, 2));
  if (isInLine) await write('\n');
  process.exitCode = state.status === 'SUCCESS' ? 0 : 1;
} catch (error) {
  note(`${error}`);
  process.exitCode = 2;
}

/** Waits for a slow reader. In the meantime, nothing is read from the network. */
async function write(text: string): Promise<void> {
  isInLine = !text.endsWith('\n');
  if (!process.stdout.write(text)) await once(process.stdout, 'drain');
}

function note(line: string): void {
  if (process.stdout.isTTY && isInLine) {
    console.log();
    isInLine = false;
  }
  console.error(line);
}
