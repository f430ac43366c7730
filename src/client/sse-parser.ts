// Parses an event stream (HTML Standard, "Server-sent events"). Decision 0047 has the reasons against a package.

export interface SseMessage {
  /** The last event id: of this block, or of the last one that had an id. */
  readonly id: string;
  /** @default 'message' */
  readonly event: string;
  /** Absent in a block without data, which only moves the id. */
  readonly data?: string;
}

export interface SseParser {
  /** The messages that a part of the stream completes. */
  push(text: string): SseMessage[];
}

/** The name of a field and its value; a comment has an empty name. */
const FIELD = /^([^:]*):? ?(.*)$/s;

/**
 * Creates a parser for one response. A byte order mark is the decoder's task.
 * @param lastEventId the last event id of the responses before
 * @param onRetry receives `retry:`, in ms
 */
export function createSseParser(lastEventId: string, onRetry: (ms: number) => void): SseParser {
  let id = lastEventId;
  let hasId = false;
  let event = '';
  let data: string | undefined;
  /** The line that is not complete yet. */
  let line = '';
  let endsWithCr = false;

  function parseLine(text: string): void {
    const [, field, value = ''] = FIELD.exec(text)!;
    if (field === 'data') data = data === undefined ? value : `${data}\n${value}`;
    else if (field === 'event') event = value;
    else if (field === 'id' && !value.includes('\0')) {
      id = value;
      hasId = true;
    } else if (field === 'retry' && /^\d+$/.test(value)) onRetry(Number(value));
  }

  function takeMessage(): SseMessage | undefined {
    const message =
      data !== undefined ? { id, event: event || 'message', data } : hasId ? { id, event } : undefined;
    hasId = false;
    event = '';
    data = undefined;
    return message;
  }

  return {
    push(text) {
      if (text === '') return [];
      const messages: SseMessage[] = [];
      // A line that ends with CR is complete; the LF of a CRLF may be in the next part.
      const lines = (endsWithCr && text[0] === '\n' ? text.slice(1) : text).split(/\r\n?|\n/);
      endsWithCr = text.endsWith('\r');
      // Only the new part is searched for line breaks: a long line in many parts takes linear time.
      lines[0] = line + lines[0];
      line = lines.pop()!;
      for (const each of lines) {
        if (each !== '') parseLine(each);
        else {
          const message = takeMessage();
          if (message) messages.push(message);
        }
      }
      return messages;
    },
  };
}
