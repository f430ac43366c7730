// One viewer's events of one execution as they arrive, over all its connections: what was skipped, came twice or came
// late is found here, from the seqs alone. What it should have been, judge.ts asks the journal.
import { type EventType, isTerminal } from '../../src/event/events.ts';
import { eventDigest } from './digest.ts';
import { createFolding } from './folding.ts';
import type { Finding, Seen, SeenGap, SeenReset, Sequence } from './seen.ts';

export function createSequence(executionId: string, mode: 'TEXT' | 'STRUCTURED'): Sequence {
  const folding = createFolding(mode);
  const found: Finding[] = [];
  const resets: SeenReset[] = [];
  const gaps: SeenGap[] = [];
  let missing = new Set<number>();
  let observed = new Map<number, string>();
  let delivered = 0;
  let epoch: string | undefined;
  let last = 0;
  let terminal: Seen | undefined;
  let isEndTold = false;

  const find = (what: Finding['what'], event: Seen, detail: string): void => {
    found.push({ what, count: 1, detail: `${event.seq}-${event.epoch} ${event.type}: ${detail}` });
  };

  function fold(event: Seen): void {
    try {
      folding.take(event.type, event.data);
    } catch (error) {
      find('wronglyRead', event, `its patch does not apply (${(error as Error).message.split('\n')[0]})`);
    }
  }

  /** All before is void. What is missing of it stays missing. */
  function startAgain(event: Seen, isLogged: boolean): void {
    noteReset(event, isLogged);
    leaveEpoch(event.epoch, 0);
  }

  function noteReset({ data, at }: Seen, isLogged: boolean): void {
    resets.push({ reason: String(data.reason), at, isLogged });
  }

  function leaveEpoch(next: string, before: number): void {
    found.push(...jumpedOver());
    missing = new Set();
    observed = new Map();
    epoch = next;
    last = before;
  }

  function jumpedOver(): Finding[] {
    if (missing.size === 0) return [];
    const detail = `${[...missing].join(', ')} of ${epoch} were jumped over`;
    return [{ what: 'lost', count: missing.size, detail }];
  }

  /** Made by a server for this viewer: repeats the cursor and takes no seq. */
  function isServerWarning({ type, seq, epoch: its, data }: Seen): boolean {
    if (type !== 'warning') return false;
    return seq === 0 || (seq === last && its === epoch && observed.get(seq) !== eventDigest(type, data));
  }

  /** An event that has a place in the log. */
  function takeLogged(event: Seen): void {
    const { seq, type, data } = event;
    if (observed.has(seq)) {
      find('doubled', event, 'came before');
      return;
    }
    if (seq > last) {
      for (let skipped = last + 1; skipped < seq; skipped += 1) missing.add(skipped);
      last = seq;
    } else {
      find('disordered', event, `came behind ${last}`);
      missing.delete(seq);
    }
    observed.set(seq, eventDigest(type, data));
    delivered += 1;
    fold(event);
    if (isTerminal(type as EventType)) {
      if (terminal) find('doubled', event, `a second end, behind ${terminal.seq}-${terminal.epoch}`);
      terminal ??= event;
    } else if (terminal) find('disordered', event, `came behind the end (${terminal.seq})`);
  }

  /** A stretch that the server says is gone. */
  function takeGap(event: Seen): void {
    const { fromSeq, toSeq } = event.data as { fromSeq: number; toSeq: number };
    epoch ??= event.epoch;
    gaps.push({ fromSeq, toSeq, at: event.at });
    found.push({ what: 'lost', count: toSeq - fromSeq + 1, detail: `gap ${fromSeq}..${toSeq} of ${epoch}` });
    last = Math.max(last, toSeq);
    fold(event);
  }

  function take(event: Seen): void {
    const { type, seq } = event;
    if (event.executionId !== undefined && event.executionId !== executionId) {
      find('wronglyRead', event, `is of another execution, ${event.executionId}`);
    } else if (isServerWarning(event)) {
      // Says how the server is, nothing of the execution.
    } else if (type === 'reset' && seq === 0) {
      if (terminal) find('disordered', event, `came behind the end (${terminal.seq})`);
      startAgain(event, false);
      fold(event);
    } else if (type === 'gap') {
      takeGap(event);
    } else {
      enterEpoch(event);
      takeLogged(event);
    }
  }

  /** Only a reset may lead from one incarnation into another. */
  function enterEpoch(event: Seen): void {
    const { type, seq, epoch: its } = event;
    const isOther = epoch !== undefined && its !== epoch;
    // A log that its publisher began anew starts with its own reset.
    if (isOther && type === 'reset' && seq === 1) startAgain(event, true);
    else if (isOther) {
      find('disordered', event, `${epoch} turned into ${its} without a reset`);
      leaveEpoch(its, seq - 1);
    } else if (type === 'reset') noteReset(event, true);
    epoch ??= its;
  }

  return {
    take,
    tellEnd() {
      isEndTold = true;
    },
    executionId,
    findings: () => [...found, ...jumpedOver()],
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
    get isEndTold() {
      return isEndTold;
    },
    get digest() {
      return folding.digest;
    },
    resets,
    gaps,
  };
}
