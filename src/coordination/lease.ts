// Leases: which process relays a source into an execution's log. A lease is time-boxed, so a holder that was paused
// may still believe in one that another has by now: what it then appends is refused by its fencing token.

export interface Leases {
  /**
   * Takes an execution's lease, where it is free, has run out or is this holder's.
   * @returns a fencing token above every one given or seen in the log before, also where the holder had the lease
   *   already: it then supersedes its own older token. Undefined while another holds the lease.
   */
  takeLease(executionId: string, holder: string, forMs: number): Promise<number | undefined>;
  /**
   * Prolongs a lease, from now on. Answers whether this token still has it.
   * @param note what its holder tells those who stand by, in place of what it told before; nothing where absent.
   */
  renewLease(executionId: string, fence: number, forMs: number, note?: string): Promise<boolean>;
  /** What the holder of a lease tells; undefined where it tells nothing, or nobody has the lease. */
  readLeaseNote(executionId: string): Promise<string | undefined>;
  /** Gives a lease back, if this token still has it. */
  dropLease(executionId: string, fence: number): Promise<void>;
}

interface Lease {
  readonly holder: string;
  readonly fence: number;
  until: number;
  note?: string | undefined;
}

/**
 * Keeps leases in this process.
 * @param seen the newest token that an execution's log has seen.
 */
export function createMemoryLeases(seen: (executionId: string) => number): Leases {
  const held = new Map<string, Lease>();
  let last = 0;

  function current(executionId: string) {
    const lease = held.get(executionId);
    return lease && lease.until > Date.now() ? lease : undefined;
  }

  return {
    takeLease: async (executionId, holder, forMs) => {
      const lease = current(executionId);
      if (lease && lease.holder !== holder) return undefined;
      last = Math.max(last, seen(executionId)) + 1;
      held.set(executionId, { holder, fence: last, until: Date.now() + forMs });
      return last;
    },
    renewLease: async (executionId, fence, forMs, note) => {
      const lease = current(executionId);
      if (lease?.fence !== fence) return false;
      lease.until = Date.now() + forMs;
      lease.note = note;
      return true;
    },
    readLeaseNote: async (executionId) => current(executionId)?.note,
    dropLease: async (executionId, fence) => {
      if (held.get(executionId)?.fence === fence) held.delete(executionId);
    },
  };
}
