// Sends events to the worker's sink, in addition to keeping them for the query.
//
// Off unless the worker has the sink, which live-interceptors.ts signals (the worker's plugin loads it into the
// sandbox): Temporal logs an error for each call of a sink that is not registered. A sink call is not a command of the
// workflow, so a replay may differ in it.
import { proxySinks } from '@temporalio/workflow';
import type { SinkEvent, StreamSinks } from '../shared/stream-query.ts';

/** The flag that the worker has the sink. On the global object, because another module's bundle sets it. */
export const LIVE = '__execstream_sink__';

/** Passes an event to the worker's sink, if there is one. Temporal skips the call during replay. */
export function emitToSink(event: SinkEvent, isLive: boolean | undefined): void {
  if (isLive ?? Reflect.get(globalThis, LIVE)) proxySinks<StreamSinks>().execstream.append(event);
}
