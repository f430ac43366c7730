// Whether events go to the worker's sink as well, besides being held for the query.
//
// Off unless the worker says that it has the sink (live-interceptors.ts, which the worker's plugin loads into the
// sandbox): Temporal logs an error for each call of a sink that is not there. Calling a sink or not is no command of
// the workflow, so a replay may differ in it.
import { proxySinks } from '@temporalio/workflow';
import type { SinkEvent, StreamSinks } from '../shared/stream-query.ts';

/** Says that the worker has the sink. On the global object: the worker's word comes from another file's modules. */
export const LIVE = '__execstream_sink__';

/** Hands an event to the worker, where it listens. Not during replay: Temporal leaves the call out then. */
export function sink(sunk: SinkEvent, isLive: boolean | undefined): void {
  if (isLive ?? Reflect.get(globalThis, LIVE)) proxySinks<StreamSinks>().execstream.append(sunk);
}
