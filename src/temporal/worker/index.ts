// The parts for a Temporal worker; `execstream/worker` re-exports them. Importing this loads no Temporal package.
export {
  type ActivityRun,
  type ActivityWork,
  type PublishActivityOptions,
  publishActivity,
} from './activity.ts';
export { createTemporalPlugin, type TemporalPlugin } from './plugin.ts';
export { createWorkerSinks, type SinkOptions, type WorkerSinks } from './sinks.ts';
