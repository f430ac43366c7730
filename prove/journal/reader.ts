// All journals of a run, read as they grow, and their contents by execution.
import { closeSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { ExecutionKind } from '../../src/event/events.ts';
import type { Entry } from './entry.ts';

export interface ExecutionJournal {
  readonly kind: ExecutionKind;
  /** Acknowledged events: hashes by seq of each epoch, in the order in which the epochs started. */
  readonly epochs: Map<string, Map<number, string | null>>;
  /** The highest attempt that was started. */
  attempts: number;
  /** Resets that the publisher wrote. */
  overflows: number;
  /** The result with which each attempt was about to end. */
  readonly finals: Map<number, string>;
  /** The attempt whose terminal event was acknowledged; undefined if there is none. */
  endedBy: number | undefined;
  begunAt: number;
}

export function emptyJournal(kind: ExecutionKind): ExecutionJournal {
  return {
    kind,
    epochs: new Map(),
    attempts: 1,
    overflows: 0,
    finals: new Map(),
    endedBy: undefined,
    begunAt: Number.POSITIVE_INFINITY,
  };
}

/** Adds one line. */
export function addEntry(journal: ExecutionJournal, entry: Entry): void {
  journal.begunAt = Math.min(journal.begunAt, entry.at);
  if (entry.is === 'ack') {
    const acknowledged = epochOf(journal, entry.epoch);
    for (const [i, digest] of entry.events.entries()) acknowledged.set(entry.from + i, digest);
    journal.overflows += entry.overflows ?? 0;
  } else if (entry.is === 'final') {
    journal.finals.set(entry.attempt, entry.digest);
  } else if (entry.is === 'end') {
    journal.endedBy = entry.attempt;
  } else {
    journal.attempts = Math.max(journal.attempts, entry.attempt);
    if (entry.is === 'begin') return;
    // Events after the head of a reopened log were destroyed, and their seqs are reused.
    const acknowledged = epochOf(journal, entry.epoch);
    for (const seq of acknowledged.keys()) if (seq > entry.head) acknowledged.delete(seq);
  }
}

function epochOf({ epochs }: ExecutionJournal, epoch: string): Map<number, string | null> {
  const acknowledged = epochs.get(epoch) ?? new Map<number, string | null>();
  epochs.set(epoch, acknowledged);
  return acknowledged;
}

export interface Journals {
  /** Reads the lines that were added. */
  poll(): void;
  of(id: string, kind: ExecutionKind): ExecutionJournal;
  /** Discards an execution that has been judged. */
  forget(id: string): void;
}

/** Reads every `*.jsonl` file of a folder, including files that appear later. */
export function readJournals(folder: string): Journals {
  const files = new Map<string, { offset: number; rest: string }>();
  const byExecution = new Map<string, Entry[]>();
  const buffer = Buffer.alloc(1024 * 1024);

  function readOn(name: string): void {
    const file = files.get(name) ?? { offset: 0, rest: '' };
    files.set(name, file);
    const fd = openSync(join(folder, name), 'r');
    try {
      for (;;) {
        const bytes = readSync(fd, buffer, 0, buffer.length, file.offset);
        if (bytes === 0) return;
        file.offset += bytes;
        // Lines are ASCII: hashes, ids, numbers.
        const lines = (file.rest + buffer.toString('latin1', 0, bytes)).split('\n');
        file.rest = lines.pop()!;
        for (const line of lines) add(JSON.parse(line) as Entry);
      }
    } finally {
      closeSync(fd);
    }
  }

  function add(entry: Entry): void {
    const entries = byExecution.get(entry.id);
    if (entries) entries.push(entry);
    else byExecution.set(entry.id, [entry]);
  }

  return {
    poll() {
      for (const name of readdirSync(folder)) if (name.endsWith('.jsonl')) readOn(name);
    },
    of(id, kind) {
      const journal = emptyJournal(kind);
      // Attempts of one execution are written by several processes, to several files.
      const entries = [...(byExecution.get(id) ?? [])].sort((a, b) => a.at - b.at);
      for (const entry of entries) addEntry(journal, entry);
      return journal;
    },
    forget: (id) => void byExecution.delete(id),
  };
}
