// The events of one execution as they reach one viewer, over all its connections. Skipped, duplicate and late
// events are detected here, from the seqs alone; judge.ts compares the contents with the journal.
import { type EventType, isTerminal } from '../../src/event/events.ts';
import { eventDigest } from './digest.ts';
import { createFolding } from './folding.ts';
import type { Finding, Seen, SeenGap, SeenReset, Sequence } from './seen.ts';

export function createSequence(executionId: string, mode: 'TEXT' | 'STRUCTURED'): Sequence {
  const folding = createFolding(mode);
  const problems: Finding[] = [];
  const resets: SeenReset[] = [];
  const gaps: SeenGap[] = [];
  let missing = new Set<number>();
  let observed = new Map<number, string>();
  let delivered = 0;
  let epoch: string | undefined;
  let last = 0;
  let terminal: Seen | undefined;
  let isEndReported = false;

  const addProblem = (what: Finding['what'], event: Seen, detail: string): void => {
    problems.push({ what, count: 1, detail: `${event.seq}-${event.epoch} ${event.type}: ${detail}` });
  };

  function fold(event: Seen): void {
    try {
      folding.take(event.type, event.data);
    } catch (error) {
      addProblem(
        'wronglyRead',
        event,
        `its patch does not apply (${(error as Error).message.split('\n')[0]})`,
      );
    }
  }

  /** Discards all previous events. Seqs missing among them stay missing. */
  function startAgain(event: Seen, isLogged: boolean): void {
    noteReset(event, isLogged);
    leaveEpoch(event.epoch, 0);
  }

  function noteReset({ data, at }: Seen, isLogged: boolean): void {
    resets.push({ reason: String(data.reason), at, isLogged });
  }

  function leaveEpoch(next: string, before: number): void {
    problems.push(...skippedSeqs());
    missing = new Set();
    observed = new Map();
    epoch = next;
    last = before;
  }

  function skippedSeqs(): Finding[] {
    if (missing.size === 0) return [];
    const detail = `${[...missing].join(', ')} of ${epoch} were skipped`;
    return [{ what: 'lost', count: missing.size, detail }];
  }

  /** A warning that the server generated for this viewer: it repeats the cursor and has no seq. */
  function isServerWarning({ type, seq, epoch: eventEpoch, data }: Seen): boolean {
    if (type !== 'warning') return false;
    return (
      seq === 0 || (seq === last && eventEpoch === epoch && observed.get(seq) !== eventDigest(type, data))
    );
  }

  /** Takes an event that is stored in the log. */
  function takeLogged(event: Seen): void {
    const { seq, type, data } = event;
    if (observed.has(seq)) {
      addProblem('doubled', event, 'arrived before');
      return;
    }
    if (seq > last) {
      for (let skipped = last + 1; skipped < seq; skipped += 1) missing.add(skipped);
      last = seq;
    } else {
      addProblem('disordered', event, `arrived after ${last}`);
      missing.delete(seq);
    }
    observed.set(seq, eventDigest(type, data));
    delivered += 1;
    fold(event);
    if (isTerminal(type as EventType)) {
      if (terminal)
        addProblem('doubled', event, `a second terminal event, after ${terminal.seq}-${terminal.epoch}`);
      terminal ??= event;
    } else if (terminal)
      addProblem('disordered', event, `arrived after the terminal event (${terminal.seq})`);
  }

  /** A range that the server reports as gone. */
  function takeGap(event: Seen): void {
    const { fromSeq, toSeq } = event.data as { fromSeq: number; toSeq: number };
    epoch ??= event.epoch;
    gaps.push({ fromSeq, toSeq, at: event.at });
    problems.push({
      what: 'lost',
      count: toSeq - fromSeq + 1,
      detail: `gap ${fromSeq}..${toSeq} of ${epoch}`,
    });
    last = Math.max(last, toSeq);
    fold(event);
  }

  function take(event: Seen): void {
    const { type, seq } = event;
    if (event.executionId !== undefined && event.executionId !== executionId) {
      addProblem('wronglyRead', event, `belongs to another execution, ${event.executionId}`);
    } else if (isServerWarning(event)) {
      // It describes the server, not the execution.
    } else if (type === 'reset' && seq === 0) {
      if (terminal) addProblem('disordered', event, `arrived after the terminal event (${terminal.seq})`);
      startAgain(event, false);
      fold(event);
    } else if (type === 'gap') {
      takeGap(event);
    } else {
      enterEpoch(event);
      takeLogged(event);
    }
  }

  /** Only a reset may lead from one epoch to another. */
  function enterEpoch(event: Seen): void {
    const { type, seq, epoch: eventEpoch } = event;
    const isOther = epoch !== undefined && eventEpoch !== epoch;
    // A log that its publisher has recreated starts with its own reset.
    if (isOther && type === 'reset' && seq === 1) startAgain(event, true);
    else if (isOther) {
      addProblem('disordered', event, `${epoch} changed to ${eventEpoch} without a reset`);
      leaveEpoch(eventEpoch, seq - 1);
    } else if (type === 'reset') noteReset(event, true);
    epoch ??= eventEpoch;
  }

  return {
    take,
    reportEnd() {
      isEndReported = true;
    },
    executionId,
    findings: () => [...problems, ...skippedSeqs()],
    get delivered() {
      return delivered;
    },
    get epoch() {
      return epoch;
    },
    get last() {
      return last;
    },
    get observed() {
      return observed;
    },
    get terminal() {
      return terminal;
    },
    get isEndReported() {
      return isEndReported;
    },
    get digest() {
      return folding.digest;
    },
    resets,
    gaps,
  };
}
