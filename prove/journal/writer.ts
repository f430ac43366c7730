// A publisher's journal on disk: one append-only file per process.
import { closeSync, openSync, writeSync } from 'node:fs';
import type { AppendRequest, LogWriter } from '../../src/log/log.ts';
import { eventDigest } from '../check/digest.ts';
import type { NewEntry } from './entry.ts';

export interface JournalWriter {
  /** Returns once the kernel has the line, which then survives a SIGKILL of this process. */
  write(entry: NewEntry): void;
  close(): void;
}

export function createJournalWriter(file: string): JournalWriter {
  const fd = openSync(file, 'a');
  return {
    write: (entry) => void writeSync(fd, `${JSON.stringify({ ...entry, at: Date.now() })}\n`),
    close: () => closeSync(fd),
  };
}

/** Wraps a log: acknowledgements are written to the journal before the publisher receives them. */
export function journaled<L extends LogWriter>(log: L, journal: JournalWriter): L {
  return {
    ...log,
    async open(id, request) {
      const result = await log.open(id, request);
      if (result.outcome === 'opened') {
        const { epoch, head, attempt } = result.head;
        journal.write({ is: 'open', id, epoch, head, attempt });
      }
      return result;
    },
    async append(id, request) {
      const result = await log.append(id, request);
      if (result.outcome === 'appended') journal.write(acknowledgement(id, request, result.head));
      return result;
    },
  };
}

function acknowledgement(id: string, { epoch, events }: AppendRequest, head: number): NewEntry {
  const overflows = events.filter(({ type }) => type === 'reset').length;
  return {
    is: 'ack',
    id,
    epoch,
    from: events[0]?.seq ?? head - events.length + 1,
    events: events.map(({ type, data }) => eventDigest(type, data)),
    ...(overflows > 0 && { overflows }),
  };
}
