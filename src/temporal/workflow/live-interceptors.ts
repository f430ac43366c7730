// A module of workflow interceptors that intercepts nothing: loading it signals that the worker has our sink.
import { LIVE_MARKER } from '../shared/live-marker.ts';
import { LIVE } from './live-sink.ts';

export function interceptors(): object {
  Reflect.set(globalThis, LIVE, LIVE_MARKER);
  return {};
}
