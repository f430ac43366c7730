// Server-sent events over fetch, resumed after the last cursor until the execution has ended.

/**
 * Parses an event stream incrementally. `push` takes text and returns the messages that it completes:
 * `{ id?, event, data }`. A block without `data:` is not a message, but its `id:` is recorded.
 */
export function createParser() {
  let rest = '';
  let message = { event: 'message', data: [] };
  const parser = {
    /** The `id:` of the last block that has one. */
    lastEventId: '',
    /** The last `retry:`, in milliseconds. */
    retryMs: undefined,
    push(text) {
      const messages = [];
      rest += text;
      // A CR at the end may be the first half of a CRLF.
      for (let end = /\r\n|\n|\r(?!$)/.exec(rest); end; end = /\r\n|\n|\r(?!$)/.exec(rest)) {
        const line = rest.slice(0, end.index);
        rest = rest.slice(end.index + end[0].length);
        if (line !== '') takeLine(line);
        else {
          if (message.id !== undefined) parser.lastEventId = message.id;
          if (message.data.length > 0) messages.push({ ...message, data: message.data.join('\n') });
          message = { event: 'message', data: [] };
        }
      }
      return messages;
    },
  };

  function takeLine(line) {
    const colon = line.indexOf(':');
    if (colon === 0) return; // A comment, such as a heartbeat.
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'data') message.data.push(value);
    else if (field === 'event') message.event = value;
    else if (field === 'id') message.id = value;
    else if (field === 'retry' && /^\d+$/.test(value)) parser.retryMs = Number(value);
  }

  return parser;
}

/** The server rejected the request, and a retry would not help: 404, 400, … */
export class Rejected extends Error {}

/** The server sends a heartbeat every 15 s; a connection that is silent for longer than this is dead. */
const SILENCE_MS = 45_000;
const MAX_DELAY_MS = 30_000;

/**
 * Yields all messages of a stream, live, across any number of connections. Ends after `complete` or `error`, or when the
 * server responds that no events follow the cursor (204).
 * @param onLost called with the reason of a lost connection, the cursor to resume after, and the delay in ms
 * @throws Rejected
 */
export async function* follow(url, { after = '', onLost = () => {} } = {}) {
  let cursor = after;
  let retryMs = 1000;
  let failures = 0;
  for (;;) {
    const parser = createParser();
    let why = 'the server closed the connection';
    let delayMs;
    const silence = createSilence();
    try {
      const headers = { accept: 'text/event-stream', ...(cursor && { 'last-event-id': cursor }) };
      const response = await fetch(url, { headers, signal: silence.signal });
      if (response.status === 204) return;
      if (response.status === 429 || response.status === 503) {
        delayMs = Number(response.headers.get('retry-after') ?? 1) * 1000;
        throw new Error(`the server responded with ${response.status}`);
      }
      if (!response.ok) throw new Rejected(await reasonOf(response));
      const decoder = new TextDecoder();
      for await (const bytes of response.body) {
        silence.restart();
        for (const message of parser.push(decoder.decode(bytes, { stream: true }))) {
          failures = 0;
          if (message.id !== undefined) cursor = message.id;
          yield message;
          if (message.event === 'complete' || message.event === 'error') return;
        }
      }
      // The connection was rotated or the server stops; the execution has not ended.
    } catch (error) {
      if (error instanceof Rejected) throw error;
      failures += 1;
      why = error.cause?.code ?? error.message;
    } finally {
      silence.stop();
    }
    cursor = parser.lastEventId || cursor;
    retryMs = parser.retryMs ?? retryMs;
    delayMs ??= Math.min(retryMs * 2 ** Math.max(0, failures - 1), MAX_DELAY_MS);
    onLost({ why, cursor, delayMs });
    await new Promise((resolve) => setTimeout(resolve, delayMs));
  }
}

/** Aborts when nothing was received for too long. */
function createSilence() {
  const controller = new AbortController();
  const begin = () => setTimeout(() => controller.abort(new Error('no data received')), SILENCE_MS);
  let timer = begin();
  const stop = () => clearTimeout(timer);
  const restart = () => {
    stop();
    timer = begin();
  };
  return { signal: controller.signal, restart, stop };
}

async function reasonOf(response) {
  const { code, detail } = await response.json().catch(() => ({}));
  return code ? `${code}: ${detail}` : `the server responded with ${response.status}`;
}
