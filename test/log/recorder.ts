// A listener that records what it receives, and events to append.
import type { EventType, ExecutionEvent, NewEvent } from '../../src/event/events.ts';
import type { LogListener } from '../../src/log/log.ts';
import { until } from '../support/wait.ts';

export const TS = '2026-11-05T10:00:00.000Z';

export function chunk(content: string): NewEvent<'llm_chunk'> {
  return { type: 'llm_chunk', ts: TS, data: { content } };
}

export function complete(): NewEvent<'complete'> {
  return { type: 'complete', ts: TS, data: { status: 'SUCCESS', durationMs: 5 } };
}

/** Chunks numbered by their source, from `first` on. */
export function fixed(first: number, ...contents: string[]): (NewEvent & { seq: number })[] {
  return contents.map((content, i) => ({ ...chunk(content), seq: first + i }));
}

export interface Recorder extends LogListener {
  readonly events: ExecutionEvent[];
  readonly epochs: string[];
  readonly interruptions: number;
  /** Resolves when an event with this seq has been received. */
  heard(seq: number): Promise<void>;
}

export function recorder(): Recorder {
  const events: ExecutionEvent[] = [];
  const epochs: string[] = [];
  let interruptions = 0;
  return {
    events,
    epochs,
    get interruptions() {
      return interruptions;
    },
    onAnnouncement(announcement) {
      epochs.push(announcement.epoch);
      events.push(...announcement.events);
    },
    onInterruption() {
      interruptions += 1;
    },
    heard: async (seq) => {
      await until(() => events.some((event) => event.seq === seq), { what: `event ${seq} to be received` });
    },
  };
}

export function seqs(events: readonly ExecutionEvent[]): number[] {
  return events.map(({ seq }) => seq);
}

export function types(events: readonly ExecutionEvent[]): EventType[] {
  return events.map(({ type }) => type);
}

export function texts(events: readonly ExecutionEvent[]): string[] {
  return events.flatMap((event) => (event.type === 'llm_chunk' ? [event.data.content] : []));
}

/** 1, 2, …, n. */
export function upTo(n: number): number[] {
  return Array.from({ length: n }, (_, i) => i + 1);
}
