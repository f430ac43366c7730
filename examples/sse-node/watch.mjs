#!/usr/bin/env node
// Follows an execution over plain SSE until it ends, across lost connections, with nothing but Node.
//
//   node watch.mjs workflows|agents|tasks ID
//
// The text goes to stdout as it grows, any other result at the end; everything else goes to stderr. Exit codes:
// 0 succeeded, 1 ended in another way, 2 cannot be watched.
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';

/** The server sends a heartbeat every 15 s: a connection that is silent for longer than this is dead. */
const SILENCE_MS = 37_500;
const MAX_DELAY_MS = 30_000;

const [kind = 'agents', id = ''] = process.argv.slice(2);
const { EXECSTREAM_URL: server = 'http://localhost:4000' } = process.env;
const execution = `${server}/api/v0/executions/${kind}/${encodeURIComponent(id)}`;

/** The request would be rejected again. */
class Rejected extends Error {}

// A reader such as `head` has closed the pipe.
process.stdout.once('error', () => process.exit());

try {
  process.exitCode = (await show()) === 'SUCCESS' ? 0 : 1;
} catch (error) {
  console.error(error.message);
  process.exitCode = 2;
}

/** Shows the execution until it ends. Returns its final status. */
async function show() {
  let text = '';
  let end;
  const restart = async (newText = '') => {
    await write(`${text && '\n'}${newText}`);
    text = newText;
  };
  // As JSON, the text arrives exactly: plain SSE makes all line breaks the same.
  for await (const { event, data } of follow(`${execution}/stream?data=json`)) {
    if (event === 'llm_chunk') {
      text += data.content;
      await write(data.content);
      continue;
    }
    console.error(event, JSON.stringify(data));
    if (event === 'reset') await restart();
    // Events are no longer available. The text is complete again, or follows at the end.
    if (event === 'gap') await restart(data.text);
    if (event === 'complete' || event === 'error') end = data;
  }
  // A large result is not sent in an event.
  if (!end || end.resultOmitted) end = await (await fetch(execution)).json();
  const { status, result = null } = end;
  if (result !== null && result !== text) {
    await restart(typeof result === 'string' ? result : JSON.stringify(result, null, 2));
  }
  if (text && !text.endsWith('\n')) await write('\n');
  return status;
}

/** Waits for a slow reader. In the meantime, nothing is read from the network. */
async function write(text) {
  if (!process.stdout.write(text)) await once(process.stdout, 'drain');
}

/** The messages of a stream, each of them once, over as many connections as it takes. Ends after the terminal event. */
async function* follow(url) {
  let cursor = '';
  let retryMs = 1_000;
  let failures = 0;
  for (;;) {
    let [reason, waitMs] = ['the connection was closed', 0];
    const watchdog = new AbortController();
    const silence = setTimeout(() => watchdog.abort(new Error('no heartbeat')), SILENCE_MS);
    try {
      const headers = cursor ? { 'last-event-id': cursor } : {};
      const response = await fetch(url, { headers, signal: watchdog.signal });
      if (response.status === 204) return; // Nothing follows the cursor, and nothing will.
      if (!response.ok) {
        waitMs = Number(response.headers.get('retry-after')) * 1_000;
        throw await errorOf(response);
      }
      for await (const message of messagesIn(response.body, () => silence.refresh())) {
        failures = 0;
        cursor = message.id ?? cursor;
        retryMs = Number(message.retry ?? retryMs);
        if (message.event) yield { event: message.event, data: JSON.parse(message.data) };
        if (message.event === 'complete' || message.event === 'error') return;
      }
    } catch (error) {
      if (error instanceof Rejected) throw error;
      reason = error.cause?.code ?? error.message;
    } finally {
      clearTimeout(silence);
    }
    // The random part spreads the clients of a server that restarts.
    waitMs ||= Math.min(retryMs * 2 ** failures, MAX_DELAY_MS) * (0.5 + Math.random() / 2);
    failures += 1;
    console.error(`${reason}; reconnecting in ${Math.round(waitMs)} ms${cursor && ` after ${cursor}`}`);
    await delay(waitMs);
  }
}

/** The messages of one connection, as their fields. With `data=json`, each field is one line. */
async function* messagesIn(body, onBytes) {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const bytes of body) {
    onBytes();
    rest += decoder.decode(bytes, { stream: true });
    const messages = rest.split('\n\n');
    rest = messages.pop();
    for (const message of messages) {
      const lines = message.split('\n').map((line) => line.split(/: (.*)/s, 2));
      yield Object.fromEntries(lines);
    }
  }
}

async function errorOf(response) {
  const { code = response.status, detail = response.statusText } = await response.json().catch(() => ({}));
  const isTemporary = response.status >= 500 || response.status === 429;
  return new (isTemporary ? Error : Rejected)(`${code}: ${detail}`);
}
