// The package entry `execstream/worker`: what a worker needs to publish, and nothing of the server.
export type { LivenessWriter } from './coordination/liveness.ts';
export { type ErrorCode, ExecstreamError, isExecstreamError } from './event/errors.ts';
export type * from './event/events.ts';
export { createPrismaStore, type PrismaStore, type PrismaStoreOptions } from './execution/prisma-store.ts';
export type { ExecutionStore } from './execution/store.ts';
export type { LogWriter } from './log/log.ts';
export { createRedisLogWriter, type RedisLogWriterOptions } from './log/redis/writer.ts';
export type { BeginRun } from './publish/begin-run.ts';
export type { EmitType, ExecutionPublisher, RunStats } from './publish/execution-publisher.ts';
export { DEFAULT_LIMITS, type PublisherLimits } from './publish/limits.ts';
export { publishFullStream } from './publish/llm/ai-sdk.ts';
export {
  type ExperimentalStreamOutputResult,
  publishPartialObjects,
  type StreamObjectResult,
  type StreamOutputResult,
} from './publish/llm/ai-sdk-objects.ts';
export { publishAnthropic } from './publish/llm/anthropic.ts';
export { type CompleteWithOptions, completeWith } from './publish/llm/complete-with.ts';
export { publishOpenAiChat } from './publish/llm/openai-chat.ts';
export { publishOpenAiResponse } from './publish/llm/openai-responses.ts';
export type { CollectedStream } from './publish/llm/stream-collector.ts';
export type { CollectedToolCall } from './publish/llm/tool-calls.ts';
export {
  type ConnectedPublisherOptions,
  createPublisher,
  type PublisherOptions,
} from './publish/publisher.ts';
export type { RunState } from './publish/run-state.ts';
export type { SimulatedTextOptions } from './publish/simulated-chunks.ts';
export type { Publisher, PublisherSettings } from './publish/transport-publisher.ts';
export type { RedactPattern } from './redact/custom-rules.ts';
export type { RedactionCounts, RedactOptions } from './redact/redaction.ts';
export type { RedactionKind } from './redact/rule.ts';
export type { Logger } from './telemetry/logger.ts';
export * from './temporal/worker/index.ts';
