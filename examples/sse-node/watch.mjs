#!/usr/bin/env node
// Follows an execution in the terminal until it ends, across lost connections: its text as it grows, or its value.
//
//   node watch.mjs agents ID [--server http://localhost:4000]
//
// The text or value goes to stdout, everything else to stderr. Exit codes: 0 succeeded, 1 ended in another way, 2 cannot
// be watched.
import { parseArgs } from 'node:util';
import { initialState, reduce } from '../state.gen.mjs';
import { follow, Rejected } from './sse.mjs';

const KINDS = ['workflows', 'agents', 'tasks'];
const USAGE = `usage: node watch.mjs ${KINDS.join('|')} ID [--server http://localhost:4000]`;

/** Characters of an event's data that are shown. */
const MAX_SHOWN = 160;

let isInLine = false;

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { server: { type: 'string', default: process.env.EXECSTREAM_URL ?? 'http://localhost:4000' } },
  });
  const [kind, id] = positionals;
  if (!KINDS.includes(kind) || !id) throw new Rejected(USAGE);
  const status = await watch(
    kind.slice(0, -1),
    `${values.server}/api/v0/executions/${kind}/${encodeURIComponent(id)}`,
  );
  process.exitCode = status === 'SUCCESS' ? 0 : 1;
} catch (error) {
  note(error.message);
  process.exitCode = 2;
}

/** Shows an execution until it ends; returns its final status. */
async function watch(kind, url) {
  // Without the execution's mode, the state has both a text and a value; only one of them grows.
  let state = initialState(kind);
  for await (const message of follow(`${url}/stream`, { onLost: noteLost })) {
    const { id, event, data } = message;
    const shown = state.text;
    state = reduce(state, toEvent(message));
    if (event !== 'llm_chunk')
      note(`${id} ${event} ${data.length > MAX_SHOWN ? `${data.slice(0, MAX_SHOWN)}…` : data}`);
    if (state.text === shown) continue;
    if (event === 'llm_chunk') write(data);
    else {
      if (isInLine) write('\n');
      write(state.text);
    }
  }

  const isPartial = state.completeness === 'partial';
  // The terminal event omits a large result, and it is not sent again to a cursor at the end of the log.
  let { end } = state;
  if (!end || (end.resultOmitted && isPartial)) end = await stateOf(url);
  const hasText = Boolean(state.text) && !isPartial;
  if (state.value != null && !isPartial) write(JSON.stringify(state.value, null, 2));
  else if (!hasText && typeof end.result === 'string') write(end.result);
  else if (!hasText && end.result != null) write(JSON.stringify(end.result, null, 2));
  if (isInLine) write('\n');
  note(`ended: ${end.status}`);
  return end.status;
}

/** A message of the stream as an event. Text is sent as it is, all other data as JSON. */
function toEvent({ id, event: type, data }) {
  return {
    id,
    seq: Number.parseInt(id, 10),
    type,
    data: type === 'llm_chunk' ? { content: data } : JSON.parse(data),
  };
}

function noteLost({ why, cursor, delayMs }) {
  note(`disconnected: ${why}; reconnecting in ${delayMs} ms${cursor && ` after ${cursor}`}`);
}

async function stateOf(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} responded with ${response.status}`);
  return response.json();
}

/** Writes content to stdout, unchanged. */
function write(text) {
  if (!text) return;
  process.stdout.write(text);
  isInLine = !text.endsWith('\n');
}

/** Writes a line to stderr. If stdout and stderr are the same terminal, it starts on a new line. */
function note(line) {
  const isOneTerminal = process.stdout.isTTY && process.stderr.isTTY;
  process.stderr.write(`${isInLine && isOneTerminal ? '\n' : ''}${line}\n`);
  if (isOneTerminal) isInLine = false;
}
