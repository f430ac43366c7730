// The package entry `execstream/workflow`: for workflow code, inside Temporal's sandbox.
export type * from '../../event/events.ts';
export {
  STREAM_QUERY,
  type StreamPage,
  type StreamSinks,
  type WorkflowEvent,
} from '../shared/stream-query.ts';
export { type CarriedStream, isCarriedStream } from './carry-over.ts';
export type { EventBufferLimits } from './event-buffer.ts';
export type { Child, StreamState, StreamStateOptions, WorkflowEventType } from './options.ts';
export { createStreamState } from './stream-state.ts';
export { streamed } from './streamed.ts';
