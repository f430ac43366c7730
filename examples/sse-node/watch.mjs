#!/usr/bin/env node
// Follows an execution in the terminal, across lost connections, to its end: its text as it grows, or its value.
//
//   node watch.mjs agents ID [--server http://localhost:4000]
//
// The text or value goes to stdout, everything else to stderr. Exit codes: 0 it succeeded, 1 it ended without success,
// 2 it cannot be watched.
import { parseArgs } from 'node:util';
import { createState } from './fold.mjs';
import { follow, Refused } from './sse.mjs';

const KINDS = ['workflows', 'agents', 'tasks'];
const USAGE = `usage: node watch.mjs ${KINDS.join('|')} ID [--server http://localhost:4000]`;

/** Of an event's data, in its line. */
const MAX_SHOWN = 160;

let isInLine = false;

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { server: { type: 'string', default: process.env.EXECSTREAM_URL ?? 'http://localhost:4000' } },
  });
  const [kind, id] = positionals;
  if (!KINDS.includes(kind) || !id) throw new Refused(USAGE);
  const status = await watch(`${values.server}/api/v0/executions/${kind}/${encodeURIComponent(id)}`);
  process.exitCode = status === 'SUCCESS' ? 0 : 1;
} catch (error) {
  note(error.message);
  process.exitCode = 2;
}

/** Shows an execution to its end; answers its last status. */
async function watch(url) {
  const state = createState();
  for await (const message of follow(`${url}/stream`, { onLost: noteLost })) {
    const { id, event, data } = message;
    const did = state.take(message);
    if (event !== 'llm_chunk')
      note(`${id} ${event} ${data.length > MAX_SHOWN ? `${data.slice(0, MAX_SHOWN)}…` : data}`);
    if (did.replaced && isInLine) write('\n');
    write(did.replaced ? state.text : did.added);
  }

  let { end } = state;
  // Told without its result where that is large; not told at all where the server has nothing left for our cursor.
  if (!end || (end.resultOmitted && state.isIncomplete)) end = await stateOf(url);
  const hasText = state.text !== '' && !state.isIncomplete;
  if (state.value !== null) write(JSON.stringify(state.value, null, 2));
  else if (!hasText && typeof end.result === 'string') write(end.result);
  else if (!hasText && end.result != null) write(JSON.stringify(end.result, null, 2));
  if (isInLine) write('\n');
  note(`ended: ${end.status}`);
  return end.status;
}

function noteLost({ why, cursor, delayMs }) {
  note(`disconnected: ${why}; reconnecting in ${delayMs} ms${cursor && ` after ${cursor}`}`);
}

async function stateOf(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} responded with ${response.status}`);
  return response.json();
}

/** Content, to stdout as it is. */
function write(text) {
  if (!text) return;
  process.stdout.write(text);
  isInLine = !text.endsWith('\n');
}

/** A line to stderr. In a terminal both are one, so it does not begin in the middle of a line of text. */
function note(line) {
  const isOneTerminal = process.stdout.isTTY && process.stderr.isTTY;
  process.stderr.write(`${isInLine && isOneTerminal ? '\n' : ''}${line}\n`);
  if (isOneTerminal) isInLine = false;
}
