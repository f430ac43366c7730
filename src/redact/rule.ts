// What a rule of redaction is: how a kind of secret begins, and what to make of the text behind its beginning.

/** The kinds that `stats.redacted` counts by. */
export type RedactionKind =
  | 'bearer'
  | 'jwt'
  | 'aws'
  | 'github'
  | 'slack'
  | 'sk'
  | 'uri'
  | 'privateKey'
  | 'literal'
  | 'pattern';

/** What stands in a secret's place. */
export const MARK = '[redacted]';

/**
 * Goes on over the rest of a secret that is certain: units before `to` belong to it, and need not be kept. Called
 * again with what follows until `isOver`.
 */
export type Continuation = (text: string, from: number, isEnd: boolean) => { to: number; isOver: boolean };

/** What a rule says of a place in a text. */
export type Match =
  /** No secret begins here; nor does one of this rule anywhere before `until`. */
  | { readonly is: 'no'; readonly until?: number }
  /**
   * Too little text to tell. `likely`: what there is would give much of the secret away, so it is not shown where
   * something else has to be said first. `from`: where the secret itself would begin.
   */
  | { readonly is: 'open'; readonly likely: boolean; readonly from: number }
  /** The units from `from` to `to`, and what `skip` goes on over, are a secret. */
  | { readonly is: 'secret'; readonly from: number; readonly to: number; readonly skip?: Continuation };

export interface Rule {
  readonly kind: RedactionKind;
  /** What a secret of this kind begins with: not empty, of at most MAX_TRIGGER_UNITS. */
  readonly triggers: readonly string[];
  /** Whether letter case is all the same; the triggers are then in lower case. */
  readonly ignoresCase?: boolean;
  /** Whether the trigger is no part of the secret: it is never held back. */
  readonly keepsTrigger?: boolean;
  /**
   * Looks at the text from `at`, where `trigger` stands. What it says of a text must hold for every longer one too,
   * unless it says `open`; it never says so where `isEnd`.
   * @param isBehindSecret whether a secret ends right before it: no word goes on from what is not shown
   */
  match(text: string, at: number, trigger: string, isEnd: boolean, isBehindSecret: boolean): Match;
}

export const MAX_TRIGGER_UNITS = 24;

/** Units of a secret, beyond what all secrets of its kind begin with, that are not shown though it may be none. */
export const LIKELY_UNITS = 8;

export const NO: Match = { is: 'no' };

/** A class of units, and one unit that belongs to a run only where another of the class follows it. */
export interface Run {
  /** Sticky, one class, `*`. */
  readonly units: RegExp;
  readonly joint?: string;
}

/** Where a run that begins at `from` ends, and whether the text's end leaves open how it goes on. */
export function endOfRun({ units, joint }: Run, text: string, from: number, isEnd: boolean) {
  let to = from;
  for (;;) {
    units.lastIndex = to;
    to += units.exec(text)![0].length;
    const isJoint = joint !== undefined && text[to] === joint && to > from;
    if (!isJoint) return { to, isOpen: to === text.length && !isEnd };
    if (to + 1 === text.length) return { to, isOpen: !isEnd };
    units.lastIndex = to + 1;
    if (units.exec(text)![0] === '') return { to, isOpen: false };
    to += 1;
  }
}

/** Goes on over a run. */
export function skipRun(run: Run): Continuation {
  // Whatever comes first now stands behind a unit of the run.
  return (text, from, isEnd) => {
    let at = from;
    if (run.joint !== undefined && text[at] === run.joint) {
      if (at + 1 === text.length) return { to: at, isOver: isEnd };
      run.units.lastIndex = at + 1;
      if (run.units.exec(text)![0] === '') return { to: at, isOver: true };
      at += 1;
    }
    const { to, isOpen } = endOfRun(run, text, at, isEnd);
    return { to, isOver: !isOpen };
  };
}
