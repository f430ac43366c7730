// The result of one check of `execstream doctor`.

export type Verdict =
  | 'ok'
  /** Works, but not as well as it could. */
  | 'warning'
  /** Streams do not work as they should. */
  | 'problem'
  /** Could not be checked. */
  | 'skipped';

export interface Finding {
  /** The subject: `streaming`, `resume`. */
  readonly check: string;
  readonly verdict: Verdict;
  /** The observation, in one sentence. */
  readonly message: string;
  /** The change that is needed. */
  readonly advice?: string;
}

/** The server that is checked, and how. */
export interface Target {
  /** Without a slash at the end. */
  readonly url: string;
  readonly token: string | undefined;
  /** The origin of a page that is to use the server. */
  readonly origin: string | undefined;
  /** Whether to wait for heartbeats. */
  readonly isThorough: boolean;
}
