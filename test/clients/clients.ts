// What a client of the suite is, and how a column of the table is judged.

/** One event, as a client delivered it to its application. */
export interface Seen {
  /** The cursor, from `id:` or from the selection. */
  readonly id: string;
  /** In lower case. */
  readonly type: string;
  readonly content?: string | undefined;
}

/** The execution that a client watches. */
export interface Watched {
  readonly url: string;
  readonly id: string;
  /** Aborted when the scenario is over. */
  readonly signal: AbortSignal;
  note(event: Seen): void;
}

/**
 * What a client does after a connection that broke: `resumes` after its last event, `replays` from the start, shows an
 * `error`, or one of the last two, depending on what it was doing.
 */
export type Reconnecting = 'resumes' | 'replays' | 'error' | 'replays or error';

export interface Client {
  readonly name: string;
  readonly reconnecting: Reconnecting;
  /** Resolves when the client reports the end; rejects when it reports an error. */
  watch(watched: Watched): Promise<void>;
}

/** How a client's run ended. */
export type End = 'complete' | 'error' | 'open';

export const TERMINAL = new Set(['complete', 'error']);

/** A cell of the table. */
export function judge(seen: readonly Seen[], end: End, expected: readonly Seen[]): string {
  if (end === 'error') return 'error shown';
  if (end === 'open') return 'HANGS';
  if (!seen.some(({ type }) => TERMINAL.has(type))) return 'SILENT END';
  const first = new Map(seen.toReversed().map((event) => [event.id, event]));
  const missing = expected.filter(({ id }) => !first.has(id)).length;
  if (missing > 0) return `${missing} missing`;
  const duplicates = seen.length - first.size;
  if (duplicates > 0) return `${duplicates} duplicates`;
  const isEqual = (event: Seen, i: number) =>
    event.id === seen[i]!.id && event.type === seen[i]!.type && event.content === seen[i]!.content;
  return expected.every(isEqual) ? 'ok' : 'wrong text';
}

/** The cells that a client may have: none of them is a silent end or a gap. */
export function allowed({ reconnecting }: Client, scenario: string): RegExp {
  if (scenario === 'whole run' || reconnecting === 'resumes') return /^ok$/;
  if (reconnecting === 'replays') return /^(ok|\d+ duplicates)$/;
  return reconnecting === 'error' ? /^error shown$/ : /^(ok|\d+ duplicates|error shown)$/;
}
