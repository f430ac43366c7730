// The items of a Workflow Stream, as events: the parts of model streams become text, tool calls, values and usage, and
// everything else becomes `custom`, named after its topic.
//
// Invariants
// 1. The events depend only on the items before them, and not on clocks: every server maps a history identically. Their number
//    does not depend on settings either. A change of it, also by the adapters of models (publish/llm/) or by redaction, needs
//    another `MAPPING_VERSION` (history-numbering.ts).
// 2. Secrets are redacted as in everything that is published. Text that may be the start of a secret is held back until more
//    of the model's stream arrives, it finishes, or the run closes.
import type { EventData, JsonValue, Usage } from '../../../event/events.ts';
import { diffJson, splitPatch } from '../../../event/json-diff.ts';
import { fitData } from '../../../event/omit-fields.ts';
import type { SizeLimits } from '../../../event/size-limits.ts';
import { splitText, truncate } from '../../../event/text.ts';
import { checkEventData } from '../../../event/validation.ts';
import { collectStream, type PartReader } from '../../../publish/llm/stream-collector.ts';
import { toolCallsOf } from '../../../publish/llm/tool-calls.ts';
import { createRedactor, type Redaction } from '../../../redact/redaction.ts';
import { type UnnumberedEvent, warning } from '../unnumbered-event.ts';
import { type Dialect, dialectOf } from './model-dialects.ts';
import type { StreamItem } from './stream-items.ts';

export interface ItemEvents {
  /** Maps items that were published together. */
  map(items: readonly StreamItem[]): Promise<UnnumberedEvent[]>;
  /** The text that was held back, at the end of a run. */
  end(): UnnumberedEvent[];
}

/** A model's stream on a topic. */
interface ModelStream {
  readonly topic: string;
  readonly dialect: Dialect;
  readonly reader: PartReader;
  readonly redaction: Redaction;
  usage: Usage | undefined;
  hasText: boolean;
  /** The last object, which may end with a secret that is still growing. */
  object: JsonValue | undefined;
}

const createRedaction = createRedactor();
const MAX_MESSAGE_UNITS = 2_000;
/** UTF-16 code units of a topic. */
const MAX_NAME_UNITS = 200;

/** Creates the mapper of one run's items. It remembers what each topic is in the middle of. */
export function createItemEvents(sizes: SizeLimits): ItemEvents {
  const redaction = createRedaction();
  const streams = new Map<string, ModelStream>();
  let usage: Usage | undefined;
  let value: JsonValue = null;
  let events: UnnumberedEvent[] = [];
  /** The stream whose part is being read. */
  let current: ModelStream | undefined;

  const calls = toolCallsOf({
    async toolCall({ durationMs: _, ...call }) {
      // The history does not have the duration of a call.
      if (current) addText(current.topic, current.redaction.text.pause());
      add('tool_call', redaction.eventData(call));
    },
  });

  function add<T extends UnnumberedEvent['type']>(type: T, data: EventData[T]): void {
    try {
      const fitted = fitData(type, checkEventData(type, data), sizes);
      events.push({ type, data: fitted } as UnnumberedEvent);
    } catch {
      events.push(warning('EVENT_TOO_LARGE', `an item that became ${type} is too large, and was left out`));
    }
  }

  /** Consecutive texts of a topic are one event. */
  function addText(topic: string, text: string): void {
    if (text === '') return;
    const last = events.at(-1);
    const isSame = last?.type === 'llm_chunk' && last.data.topic === topic;
    const content = isSame ? events.pop()! : undefined;
    const before = content?.type === 'llm_chunk' ? content.data.content : '';
    for (const piece of splitText(before + text)) {
      events.push({ type: 'llm_chunk', data: { content: piece, topic } });
    }
  }

  function setValue(next: JsonValue): void {
    try {
      const patches = splitPatch(diffJson(value, next));
      for (const patch of patches) events.push({ type: 'structured_delta', data: { patch } });
      value = next;
    } catch {
      events.push(warning('EVENT_TOO_LARGE', 'a value has a string that is too large, and was left out'));
    }
  }

  function open(topic: string, dialect: Dialect): ModelStream {
    const collector = collectStream(
      {
        ...{ kind: 'agent', mode: 'TEXT' },
        async text(delta) {
          stream.hasText = true;
          addText(topic, stream.redaction.text.add(String(delta)));
        },
        async toolCall() {},
        async usage(reported) {
          stream.usage = reported as Usage;
        },
      },
      calls,
    );
    const reader = dialect.read(collector);
    const stream: ModelStream = {
      ...{ topic, dialect, reader, redaction: createRedaction() },
      ...{ hasText: false, object: undefined, usage: undefined },
    };
    return stream;
  }

  function close(stream: ModelStream): void {
    const { topic, reader, redaction: own, object } = stream;
    addText(topic, own.text.end());
    if (object !== undefined) setValue(own.json(object));
    if (reader.failure) {
      const message = truncate(redaction.string(reader.failure.message), MAX_MESSAGE_UNITS);
      add('warning', { code: 'STREAM_FAILED', message: `${topic}: ${message}` });
    }
    if (!stream.usage) return;
    usage = usage ? addUsage(usage, stream.usage) : stream.usage;
    add('workflow_status', { status: 'RUNNING', usage });
  }

  async function mapOne({ topic: name, value: item }: StreamItem): Promise<void> {
    const topic = truncate(name, MAX_NAME_UNITS);
    let stream = streams.get(name);
    const dialect = dialectOf(item, stream?.dialect);
    if (!dialect) return add('custom', { name: topic, value: redaction.json(item) });
    if (stream && (stream.dialect !== dialect || dialect.isStart(item))) {
      close(stream);
      if (stream.hasText) {
        const message = `${topic}: the stream of a model was not finished, and another one starts`;
        add('warning', { code: 'STREAM_RESTARTED', message });
      }
      stream = undefined;
    }
    stream ??= open(topic, dialect);
    streams.set(name, stream);
    await readPart(stream, item);
    const { isFinished, failure } = stream.reader;
    if (!isFinished && !(failure && dialect.endsWithFailure)) return;
    streams.delete(name);
    close(stream);
  }

  async function readPart(stream: ModelStream, item: JsonValue): Promise<void> {
    const { topic, dialect, reader } = stream;
    current = stream;
    const part = dialect.toPart(item);
    const object = dialect.objectOf(item);
    if (object !== undefined) {
      stream.object = object;
      setValue(stream.redaction.partialJson(object).visible);
    }
    // The text of a stream of objects is their JSON.
    const isJson = stream.object !== undefined && part?.type === 'text-delta';
    if (part && !isJson) await reader.read(part);
    if (!dialect.isExtra(item)) return;
    addText(topic, stream.redaction.text.pause());
    add('custom', { name: topic, value: redaction.json(item) });
  }

  function take(): UnnumberedEvent[] {
    const taken = events;
    events = [];
    return taken;
  }

  return {
    async map(items) {
      for (const item of items) await mapOne(item);
      return take();
    },
    end() {
      for (const stream of streams.values()) close(stream);
      streams.clear();
      return take();
    },
  };
}

/** The usage of several streams; the model of the last one. */
function addUsage(a: Usage, b: Usage): Usage {
  const model = b.model ?? a.model;
  return {
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    totalTokens: a.totalTokens + b.totalTokens,
    ...(model !== undefined && { model }),
  };
}
