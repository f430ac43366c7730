// Simulated streaming: splits a complete text into chunks, where a reader would pause.
import { MAX_TIMER_MS } from '../async/timeout.ts';
import { invalidInput } from '../event/errors.ts';

export interface SimulatedTextOptions {
  /**
   * The longest chunk, in UTF-16 code units. Chunks are longer if the text would otherwise have more than `maxChunks`.
   * @default 200
   */
  readonly maxChars?: number;
  /**
   * Delay between two chunks, in ms. Without a delay, chunks are published as fast as there is room.
   * @default 0
   */
  readonly delayMs?: number;
  /**
   * Limit on the number of chunks, so that `delayMs` limits the total time.
   * @default 100
   */
  readonly maxChunks?: number;
}

/** Chunks end after a line break if one is near the end of the chunk, else after white space, else anywhere. */
const LINE_END = /^.*(?:\r\n|\n|\r(?!\n))/s;
const WORD_END = /^.*\s/s;

/**
 * Checks the options and fills in the defaults.
 * @throws ExecstreamError `BAD_USER_INPUT`.
 */
export function resolveSimulatedText(options: SimulatedTextOptions): Required<SimulatedTextOptions> {
  const { maxChars = 200, delayMs = 0, maxChunks = 100 } = options;
  for (const [name, value] of Object.entries({ maxChars, maxChunks })) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw invalidInput(`${name}: expected a positive integer, got ${value}`);
    }
  }
  if (!(delayMs >= 0 && delayMs <= MAX_TIMER_MS)) {
    throw invalidInput(`delayMs: expected 0 to ${MAX_TIMER_MS}, got ${delayMs}`);
  }
  return { maxChars, delayMs, maxChunks };
}

/**
 * Splits a text into chunks. Joined, they are the text; none ends inside a surrogate pair or a CRLF.
 * @throws ExecstreamError `BAD_USER_INPUT` for invalid options.
 */
export function splitIntoChunks(text: string, options: SimulatedTextOptions = {}): string[] {
  const { maxChars, maxChunks } = resolveSimulatedText(options);
  const chunks: string[] = [];
  let start = 0;
  while (start < text.length) {
    // The rest has to fit into the remaining chunks, so ending chunks early must not make more of them.
    const min = Math.ceil((text.length - start) / (maxChunks - chunks.length));
    const max = Math.max(maxChars, min, 2);
    const isLast = chunks.length === maxChunks - 1;
    const end = isLast ? text.length : start + chunkLength(text.slice(start, start + max + 1), min, max);
    chunks.push(text.slice(start, end));
    start = end;
  }
  return chunks;
}

/** The length of the next chunk, from `min` to `max`; `text` has one code unit more than `max`, if there is one. */
function chunkLength(text: string, min: number, max: number): number {
  if (text.length <= max) return text.length;
  const shortest = Math.max(min, Math.ceil(max / 2));
  for (const ending of [LINE_END, WORD_END]) {
    const length = ending.exec(text.slice(0, max))?.[0].length ?? 0;
    if (length >= shortest && !isInsidePair(text, length)) return length;
  }
  return isInsidePair(text, max) ? max - 1 : max;
}

/** Whether an index is inside a surrogate pair or a CRLF. */
function isInsidePair(text: string, index: number): boolean {
  return /^(?:[\ud800-\udbff][\udc00-\udfff]|\r\n)$/.test(text.slice(index - 1, index + 1));
}
