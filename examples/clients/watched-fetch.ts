// A watchdog for every client that takes a `fetch`: a connection on which nothing arrives, not even a heartbeat, fails,
// so that the client reconnects.

/**
 * @param silentMs more than two intervals of the server's heartbeat (`HEARTBEAT_MS`)
 * @returns a `fetch` whose response bodies fail after that time without a byte
 */
export const watchedFetch = (silentMs = 40_000): typeof fetch => {
  return async (input, init) => {
    const response = await fetch(input, init);
    if (!response.body) return response;
    let timer: NodeJS.Timeout | undefined;
    const watch = (controller: TransformStreamDefaultController) => {
      clearTimeout(timer);
      const fail = () => controller.error(new Error(`no heartbeat for ${silentMs} ms`));
      timer = setTimeout(fail, silentMs);
    };
    const watchdog = new TransformStream<Uint8Array, Uint8Array>({
      start: watch,
      transform(chunk, controller) {
        watch(controller);
        controller.enqueue(chunk);
      },
      flush: () => clearTimeout(timer),
    });
    return new Response(response.body.pipeThrough(watchdog), response);
  };
};
