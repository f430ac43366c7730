// The interface of a redaction rule: how a kind of secret begins, and how the text after its beginning is matched.

/** The kinds of secrets, by which `stats.redacted` counts. */
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

/** Replaces a secret. */
export const MARK = '[redacted]';

/**
 * Skips the rest of a secret that has been recognised: the code units before `to` belong to it and need not be kept. It
 * is called again with the text that follows until `isOver`.
 */
export type Continuation = (text: string, from: number, isEnd: boolean) => { to: number; isOver: boolean };

/** What a rule finds at a position of a text. */
export type Match =
  /** No secret begins here, and none of this rule anywhere before `until`. */
  | { readonly is: 'no'; readonly until?: number }
  /**
   * Undecided until more text arrives. `likely`: the text so far would reveal much of the secret, so it is replaced if
   * another event has to be published first. `from`: where the secret itself would begin.
   */
  | { readonly is: 'open'; readonly likely: boolean; readonly from: number }
  /** The code units from `from` to `to`, and those that `skip` skips, are a secret. */
  | { readonly is: 'secret'; readonly from: number; readonly to: number; readonly skip?: Continuation };

export interface Rule {
  readonly kind: RedactionKind;
  /** How a secret of this kind begins: 1 to MAX_TRIGGER_UNITS code units. */
  readonly triggers: readonly string[];
  /** Whether letter case is ignored; the triggers are then in lower case. */
  readonly ignoresCase?: boolean;
  /** Whether the trigger is not part of the secret, and therefore never held back. */
  readonly keepsTrigger?: boolean;
  /** Whether the trigger counts only at the start of a word; directly after a secret, a word starts. */
  readonly startsWord?: boolean;
  /**
   * Matches the text from `at`, where it has `trigger`. A result other than `open` must hold for every longer text too;
   * with `isEnd`, the result is never `open`.
   * @param isAfterSecret whether a secret ends directly before `at`, so that no word continues there
   */
  match(text: string, at: number, trigger: string, isEnd: boolean, isAfterSecret: boolean): Match;
}

export const MAX_TRIGGER_UNITS = 24;

/** Code units after the trigger from which an undecided match is `likely`. */
export const LIKELY_UNITS = 8;

export const NO_MATCH: Match = { is: 'no' };

/** A class of code units, and a joint: a unit that belongs to the run only if a unit of the class follows it. */
export interface CharacterRun {
  /** A sticky expression of one class with `*`. */
  readonly units: RegExp;
  readonly joint?: string;
}

/** Where a run that begins at `from` ends, and whether more text could continue it. */
export function endOfRun({ units, joint }: CharacterRun, text: string, from: number, isEnd: boolean) {
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

/** Skips a run. */
export function skipRun(run: CharacterRun): Continuation {
  // The text begins directly after a unit of the run, so it may begin with a joint.
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
