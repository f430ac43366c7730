// The script of the browser's page: opens an EventSource and hands on what it dispatches. Not TypeScript: what a
// compiler adds to functions is not there in a page.
globalThis.sources = {};

globalThis.openSource = (name, url, types) => {
  const source = new EventSource(url);
  let waiting = [];
  const flush = () => {
    if (waiting.length > 0) globalThis.tell(name, waiting, false);
    waiting = [];
  };
  const timer = setInterval(flush, 100);
  const close = () => {
    clearInterval(timer);
    source.close();
  };
  for (const type of types) {
    source.addEventListener(type, ({ data, lastEventId }) => {
      // A connection's error has no data; the execution's has.
      if (data !== undefined) waiting.push({ id: lastEventId, event: type, data });
    });
  }
  source.addEventListener('error', () => {
    if (source.readyState !== EventSource.CLOSED) return;
    flush();
    close();
    globalThis.tell(name, [], true);
  });
  globalThis.sources[name] = { close };
};
