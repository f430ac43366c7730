// How a worker recognises a bundle of workflows whose events reach its sink.

/** A text that only a bundle with our interceptors contains, also if the bundle is minified. */
export const LIVE_MARKER = 'execstream: events also go to the sink of the worker';
