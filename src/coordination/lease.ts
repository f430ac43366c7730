// Leases: which process relays a source into an execution's log. A lease is time-boxed, so a holder that was paused may
// still believe that it has one that another process has taken: the log rejects its appends by its fencing token.

/** Every method rejects with `SOURCE_UNAVAILABLE` if the store does not respond within its timeout. */
export interface Leases {
  /**
   * Takes an execution's lease if it is free, has expired or belongs to this holder.
   * @param forMs how long the lease lasts, in ms
   * @returns a fencing token above all earlier ones and above those that the log has seen; undefined while another
   *   holder has the lease. A holder that takes its lease again gets a new token, which supersedes its older one.
   */
  takeLease(executionId: string, holder: string, forMs: number): Promise<number | undefined>;
  /**
   * Extends a lease to `forMs` from now.
   * @param note replaces the lease's note; absent removes it
   * @returns whether this token still has the lease
   */
  renewLease(executionId: string, fence: number, forMs: number, note?: string): Promise<boolean>;
  /** Reads the note of a lease, by which its holder informs other processes; undefined without a note or a lease. */
  readLeaseNote(executionId: string): Promise<string | undefined>;
  /** Releases a lease if this token still has it. */
  dropLease(executionId: string, fence: number): Promise<void>;
}

interface Lease {
  readonly holder: string;
  readonly fence: number;
  until: number;
  note?: string | undefined;
}

/**
 * Creates leases in the memory of this process.
 * @param newestFence the newest token that an execution's log has seen
 */
export function createMemoryLeases(newestFence: (executionId: string) => number): Leases {
  const leases = new Map<string, Lease>();
  let last = 0;

  function current(executionId: string) {
    const lease = leases.get(executionId);
    return lease && lease.until > Date.now() ? lease : undefined;
  }

  return {
    takeLease: async (executionId, holder, forMs) => {
      const lease = current(executionId);
      if (lease && lease.holder !== holder) return undefined;
      last = Math.max(last, newestFence(executionId)) + 1;
      leases.set(executionId, { holder, fence: last, until: Date.now() + forMs });
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
      if (leases.get(executionId)?.fence === fence) leases.delete(executionId);
    },
  };
}
