// Recognises the parts of model streams among the items of a topic: those of the AI SDK (what its models emit, as
// `@temporalio/ai-sdk` publishes it, `fullStream`, and streams of UI messages) and of OpenAI's Responses API (as Python's
// plugin for OpenAI Agents publishes them).
//
// An application may use the same names for its own items. So a stream begins with a part whose fields show what it is,
// and other parts count only after it.
import type { JsonValue } from '../../../event/events.ts';
import { readFullStream } from '../../../publish/llm/ai-sdk.ts';
import { field } from '../../../publish/llm/fields.ts';
import { readResponse } from '../../../publish/llm/openai-responses.ts';
import type { PartReader, StreamCollector } from '../../../publish/llm/stream-collector.ts';
import { parseArguments } from '../../../publish/llm/tool-calls.ts';

type Part = { readonly type: string };

/** The stream of one kind of SDK. */
export interface Dialect {
  read(collector: StreamCollector): PartReader;
  /** Whether nothing follows a failure. */
  readonly endsWithFailure: boolean;
  /** Whether a part is always the first one of a stream. */
  isStart(item: JsonValue): boolean;
  /** Whether an item is a part of a stream. */
  includes(item: JsonValue, isOpen: boolean): boolean;
  /** The part in the form that the reader knows; undefined for one that it need not read. */
  toPart(item: JsonValue): Part | undefined;
  /** A partial or complete object. */
  objectOf(item: JsonValue): JsonValue | undefined;
  /** Whether viewers see the part as it is, because no event has its contents. */
  isExtra(item: JsonValue): boolean;
}

/** Parts that viewers see as events, or as they are. The others only frame them. */
const AI_SHOWN: ReadonlySet<string> = new Set([
  ...['text-delta', 'tool-call', 'tool-result', 'tool-error', 'tool-approval-response', 'tool-output-denied'],
  ...['tool-input-available', 'tool-output-available', 'tool-output-error'],
  ...['finish-step', 'step-finish', 'finish', 'error', 'abort', 'object', 'response-metadata'],
]);
const AI_EXTRA: ReadonlySet<string> = new Set([
  ...['reasoning', 'reasoning-delta', 'reasoning-file', 'source', 'source-url', 'source-document', 'file'],
  ...['raw', 'custom', 'tool-approval-request'],
]);
const AI_FRAMING: ReadonlySet<string> = new Set([
  ...['start', 'start-step', 'step-start', 'stream-start', 'text-start', 'text-end'],
  ...['reasoning-start', 'reasoning-end', 'tool-input-start', 'tool-input-delta', 'tool-input-end'],
  ...['tool-call-streaming-start', 'tool-call-delta', 'message-metadata'],
]);

const AI_SDK: Dialect = {
  read: readFullStream,
  endsWithFailure: false,
  isStart: (item) => field(item, 'type') === 'stream-start',
  includes(item, isOpen) {
    const type = typeOf(item);
    return isOpen
      ? AI_SHOWN.has(type) || AI_EXTRA.has(type) || AI_FRAMING.has(type)
      : opensAiStream(item, type);
  },
  toPart(item) {
    const type = typeOf(item);
    if (!AI_SHOWN.has(type) || type === 'object') return undefined;
    const of = (name: string) => field(item, name);
    switch (type) {
      case 'text-delta':
        return part('text-delta', { text: of('text') ?? of('delta') ?? of('textDelta') });
      case 'tool-call':
      case 'tool-input-available':
        return part('tool-call', { ...Object(item), input: argumentsOf(of('input') ?? of('args')) });
      case 'tool-output-available':
        return part('tool-result', Object(item));
      case 'tool-output-error':
        return part('tool-error', { ...Object(item), error: of('errorText') });
      case 'tool-result':
        return of('isError') === true
          ? part('tool-error', { ...Object(item), error: of('result') })
          : (item as unknown as Part);
      case 'finish': {
        const finishReason = field(of('finishReason'), 'unified') ?? of('finishReason');
        return part('finish', { ...Object(item), finishReason, usage: usageOf(of('usage')) });
      }
      // Where the model of a single call is named.
      case 'response-metadata':
        return part('finish-step', { response: { modelId: of('modelId') } });
      default:
        return item as unknown as Part;
    }
  },
  objectOf: (item) =>
    typeOf(item) === 'object' ? (field(item, 'object') as JsonValue | undefined) : undefined,
  isExtra: (item) => AI_EXTRA.has(typeOf(item)),
};

const RESPONSES: Dialect = {
  read: readResponse,
  endsWithFailure: true,
  isStart: (item) => typeOf(unwrapped(item)) === 'response.created',
  includes(item, isOpen) {
    const event = unwrapped(item);
    const isEvent =
      typeof field(event, 'output_index') === 'number' || field(event, 'response') !== undefined;
    return typeOf(event).startsWith('response.') ? isEvent || isOpen : isOpen && typeOf(event) === 'error';
  },
  toPart: (item) => unwrapped(item) as unknown as Part,
  objectOf: () => undefined,
  isExtra: (item) => /^response\.reasoning.*\.delta$/.test(typeOf(unwrapped(item))),
};

const DIALECTS: readonly Dialect[] = [AI_SDK, RESPONSES];

/**
 * The dialect of an item; undefined if it is not a part of a model's stream.
 * @param open the dialect of the stream that is open on the topic
 */
export function dialectOf(item: JsonValue, open: Dialect | undefined): Dialect | undefined {
  if (open?.includes(item, true)) return open;
  return DIALECTS.find((dialect) => dialect.includes(item, false));
}

function opensAiStream(item: JsonValue, type: string): boolean {
  const has = (...names: string[]) => names.some((name) => typeof field(item, name) === 'string');
  switch (type) {
    case 'stream-start':
      return Array.isArray(field(item, 'warnings'));
    case 'text-start':
    case 'reasoning-start':
      return has('id');
    case 'text-delta':
      return has('delta', 'text', 'textDelta');
    case 'tool-input-start':
      return has('id', 'toolCallId') && has('toolName');
    case 'tool-call':
    case 'tool-input-available':
      return has('toolCallId') && has('toolName');
    case 'tool-result':
    case 'tool-error':
    case 'tool-output-available':
    case 'tool-output-error':
      return has('toolCallId');
    case 'object':
      return typeof field(item, 'object') === 'object' && Object.keys(Object(item)).length === 2;
    default:
      return false;
  }
}

/** The events of a model in the events of an agent (`raw_response_event`). */
function unwrapped(item: JsonValue): JsonValue {
  return typeOf(item) === 'raw_response_event' ? ((field(item, 'data') as JsonValue) ?? item) : item;
}

function typeOf(item: JsonValue): string {
  const type = field(item, 'type');
  return typeof type === 'string' ? type : '';
}

function part(type: string, fields: object): Part {
  return { ...fields, type };
}

/** Models emit the arguments of a call as JSON. */
function argumentsOf(input: unknown): unknown {
  return typeof input === 'string' ? parseArguments(input) : input;
}

/** Models report counts as an object with a total. */
function usageOf(usage: unknown): object {
  const total = (name: string) => field(field(usage, name), 'total') ?? field(usage, name);
  return { ...Object(usage), inputTokens: total('inputTokens'), outputTokens: total('outputTokens') };
}
