// The states of a tail's catch-up with its log. States are immutable and transitions are pure: the tail performs what a
// state requires (a read of the log, a timer, a warning) when it enters it.
//
//   CatchUpState
//   ├── Current   no event is known to be missing; announcements are appended directly
//   ├── Reading   a read of the log is in progress; announcements only mark it as stale
//   │               once      requested by `refresh`: its caller gets the error, and nothing is retried
//   │               retried   on behalf of the viewers: an error leads to a pause and another read
//   ├── Paused    the log could not be read; another read follows after a backoff. Announcements are appended directly
//   └── Closed    final
//
//   Current ── missed, refresh ──▶ Reading ── succeeded ──▶ Current, or Reading again if it was stale
//                                  ▲     │ failed
//                          elapsed │     ▼
//   Current ── pageFailed ───────▶ Paused

export abstract class CatchUpState {
  readonly isReading: boolean = false;

  /** An event is missing, or may be: an announcement was lost or cannot be used. */
  missed(): CatchUpState {
    return this;
  }

  /** A page that a viewer needed could not be read, although the newest events may be readable. */
  pageFailed(_error: unknown): CatchUpState {
    return this;
  }

  /** The newest events are requested. Not called while a read is in progress. */
  refresh(): CatchUpState {
    return this;
  }

  /** The read in progress has succeeded. */
  succeeded(): CatchUpState {
    return this;
  }

  /** The read in progress has failed. */
  failed(_error: unknown): CatchUpState {
    return this;
  }

  /** The pause is over. */
  elapsed(): CatchUpState {
    return this;
  }
}

class Current extends CatchUpState {
  override missed(): CatchUpState {
    return READING;
  }

  override pageFailed(error: unknown): CatchUpState {
    return new Paused(1, error);
  }

  override refresh(): CatchUpState {
    return READING_ONCE;
  }
}

interface ReadingFields {
  readonly isRetried: boolean;
  readonly isStale?: boolean;
  readonly failures?: number;
  readonly pageError?: unknown;
}

export class Reading extends CatchUpState {
  override readonly isReading = true;
  /** Whether an error leads to another read. */
  readonly isRetried: boolean;
  /** Whether events may have been appended after the read began, so that another one must follow. */
  readonly isStale: boolean;
  /** Failed reads in a row before this one. */
  readonly failures: number;
  /** Why a viewer's page could not be read during this read. */
  readonly pageError: unknown;

  constructor({ isRetried, isStale = false, failures = 0, pageError }: ReadingFields) {
    super();
    this.isRetried = isRetried;
    this.isStale = isStale;
    this.failures = failures;
    this.pageError = pageError;
  }

  override missed(): CatchUpState {
    if (this.isStale) return this;
    // Shared, because announcements arrive here at a high rate.
    if (this.failures === 0 && this.pageError === undefined) return READING_STALE;
    const { failures, pageError } = this;
    return new Reading({ isRetried: true, isStale: true, failures, pageError });
  }

  override pageFailed(error: unknown): CatchUpState {
    const { isStale, failures, pageError = error } = this;
    return new Reading({ isRetried: true, isStale, failures, pageError });
  }

  override succeeded(): CatchUpState {
    // Reading the same page again immediately would be a loop without a pause.
    if (this.pageError !== undefined) return new Paused(1, this.pageError);
    return this.isStale ? READING : CURRENT;
  }

  override failed(error: unknown): CatchUpState {
    return this.isRetried ? new Paused(this.failures + 1, error) : CURRENT;
  }
}

export class Paused extends CatchUpState {
  /** Failures in a row. */
  readonly failures: number;
  /** The last one. */
  readonly error: unknown;

  constructor(failures: number, error: unknown) {
    super();
    this.failures = failures;
    this.error = error;
  }

  override refresh(): CatchUpState {
    return this.elapsed();
  }

  override elapsed(): CatchUpState {
    return new Reading({ isRetried: true, failures: this.failures });
  }
}

class Closed extends CatchUpState {}

export const CURRENT: CatchUpState = new Current();
export const CLOSED: CatchUpState = new Closed();
const READING = new Reading({ isRetried: true });
const READING_ONCE = new Reading({ isRetried: false });
const READING_STALE = new Reading({ isRetried: true, isStale: true });
