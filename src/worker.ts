// The package entry `execstream/worker`: what a worker needs to publish, and nothing of the server.
export { type ErrorCode, ExecstreamError, isExecstreamError } from './event/error.ts';
export type * from './event/types.ts';
export { createPrismaStore, type PrismaStore, type PrismaStoreOptions } from './execution/prisma.ts';
export type { ExecutionStore } from './execution/store.ts';
export type { LogWriter } from './log/log.ts';
export { createRedisLogWriter, type RedisLogWriterOptions } from './log/redis/writer.ts';
export type { EmitType, ExecutionPublisher, RunStats } from './publish/execution-publisher.ts';
export type { RunState } from './publish/lifecycle.ts';
export { DEFAULT_LIMITS, type Logger, type PublisherLimits } from './publish/options.ts';
export { createPublisher, type Publisher, type PublisherOptions } from './publish/publisher.ts';
export type { BeginRun } from './publish/start.ts';
