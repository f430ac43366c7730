// What a Temporal worker takes from us; `execstream/worker` hands it on. Nothing of Temporal's is loaded by importing.
export {
  type ActivityRun,
  type ActivityWork,
  type PublishActivityOptions,
  publishActivity,
} from './activity.ts';
export { createTemporalPlugin, type TemporalPlugin } from './plugin.ts';
export { createWorkerSinks, type SinkOptions, type WorkerSinks } from './sinks.ts';
