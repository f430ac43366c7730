// The package entry `execstream/worker/http`: what a worker needs to publish over HTTP, in every runtime with fetch, and
// nothing of Redis, Postgres or Node.
export type { TokenSource } from './client/tokens.ts';
export { type ErrorCode, ExecstreamError, isExecstreamError } from './event/errors.ts';
export type * from './event/events.ts';
export type { BeginRun } from './publish/begin-run.ts';
export type { EmitType, ExecutionPublisher, RunStats } from './publish/execution-publisher.ts';
export { createHttpPublisher, type HttpPublisherOptions } from './publish/http/http-publisher.ts';
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
export type { RunState } from './publish/run-state.ts';
export type { SimulatedTextOptions } from './publish/simulated-chunks.ts';
export type { Publisher, PublisherSettings } from './publish/transport-publisher.ts';
export type { RedactPattern } from './redact/custom-rules.ts';
export type { RedactionCounts, RedactOptions } from './redact/redaction.ts';
export type { RedactionKind } from './redact/rule.ts';
export type { Logger } from './telemetry/logger.ts';
