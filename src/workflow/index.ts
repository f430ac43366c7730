// The package entry `execstream/workflow`: for workflow code, inside Temporal's sandbox.
export type * from '../event/events.ts';
export { type CarriedStream, isCarriedStream } from './carry.ts';
export type { HeldBounds } from './held.ts';
export type { Child, StreamState, StreamStateOptions, WorkflowEventType } from './options.ts';
export { createStreamState } from './stream-state.ts';
export { streamed } from './streamed.ts';
export { STREAM_QUERY, type StreamPage, type StreamSinks, type WorkflowEvent } from './wire.ts';
