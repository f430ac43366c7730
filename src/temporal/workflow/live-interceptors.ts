// A module of workflow interceptors that intercepts nothing: by loading it, a worker says that it has our sink.
import { LIVE } from './live-sink.ts';

export function interceptors(): object {
  Reflect.set(globalThis, LIVE, true);
  return {};
}
