// EventSource with a watchdog: reopens a stream on which nothing arrives, not even a heartbeat, and one that
// EventSource has given up, which it does after any response but 200 (such as a proxy's 502 while the server restarts).

/**
 * Watches an execution up to its terminal event.
 * @param {string} url the stream; absolute
 * @param {readonly string[]} types the event types to listen to, besides `complete` and `error`
 * @param {(event: MessageEvent) => void} onEvent
 * @param {{ silentMs?: number, retryMs?: number, EventSource?: typeof EventSource }} [options] `silentMs`: more than two
 *   intervals of the server's heartbeat (`HEARTBEAT_MS`)
 * @returns {() => void} stops
 */
export function watch(url, types, onEvent, options = {}) {
  const { silentMs = 40_000, retryMs = 3_000, EventSource = globalThis.EventSource } = options;
  let source;
  let timer;
  let cursor = '';

  const stop = () => {
    clearTimeout(timer);
    source.close();
  };
  const reopenIn = (ms) => {
    clearTimeout(timer);
    timer = setTimeout(open, ms);
  };
  const receive = (event) => {
    // A connection error has no data. EventSource reconnects, unless it has given up.
    if (event.data === undefined) {
      if (source.readyState === EventSource.CLOSED) reopenIn(retryMs);
      return;
    }
    cursor = event.lastEventId || cursor;
    reopenIn(silentMs);
    if (event.type === 'complete' || event.type === 'error') stop();
    if (event.type !== 'ping') onEvent(event);
  };
  function open() {
    source?.close();
    const target = new URL(url);
    target.searchParams.set('ping', 'event');
    // A new EventSource cannot send the header `Last-Event-ID`.
    if (cursor) target.searchParams.set('last_event_id', cursor);
    source = new EventSource(target);
    for (const type of ['ping', 'complete', 'error', ...types]) source.addEventListener(type, receive);
    reopenIn(silentMs);
  }

  open();
  return stop;
}
