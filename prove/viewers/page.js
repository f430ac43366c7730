// The script of the browser's page: opens an EventSource and passes on its events. It is JavaScript, because
// helpers that a TypeScript compiler adds to functions are not defined in the page.
globalThis.sources = {};

globalThis.openSource = (name, url, types) => {
  const source = new EventSource(url);
  let waiting = [];
  const flush = () => {
    if (waiting.length > 0) globalThis.report(name, waiting, false);
    waiting = [];
  };
  const timer = setInterval(flush, 100);
  const close = () => {
    clearInterval(timer);
    source.close();
  };
  for (const type of types) {
    source.addEventListener(type, ({ data, lastEventId }) => {
      // A connection's error has no data; an `error` event of the execution has.
      if (data !== undefined) waiting.push({ id: lastEventId, event: type, data });
    });
  }
  source.addEventListener('error', () => {
    if (source.readyState !== EventSource.CLOSED) return;
    flush();
    close();
    globalThis.report(name, [], true);
  });
  globalThis.sources[name] = { close };
};
