// Replaces secrets in a text that arrives in pieces. The output is the same as for the complete text, wherever it is
// cut.
//
// Invariants:
// 1. Decisions do not depend on the cuts: a rule returns `open` until its result holds for every longer text too, and
//    nothing after an open match is examined.
// 2. Only text that may be the beginning of a secret is held back, up to the distance that its rule looks ahead (2 Ki
//    code units; the `maxLength` of a pattern; the length of a literal). A secret is replaced as soon as it is
//    recognised, and the rest of it is skipped as it arrives, regardless of its length.
// 3. After `pause()` nothing is held back, because another event follows and text keeps its order. Text of an open
//    match is released or, if it would reveal much of a secret (`likely`), replaced. It is still remembered: if it
//    becomes a secret, the text that follows is not shown. Of a secret with another event inside, only the first few
//    code units can be visible, and never the end.

import type { Rules } from './compile.ts';
import { type Continuation, MARK, type RedactionKind } from './rule.ts';
import { createSearch, fragmentStart, hasNoOtherMatch } from './search.ts';

export interface Scanner {
  /** Adds text, and returns the text that is decided. */
  add(text: string): string;
  /**
   * Returns the text that is held back, because another event follows. More text may follow later.
   * @param mark replaces text that is likely to become a secret
   */
  pause(mark?: string): string;
  /** Returns the text that is held back, decided, because no more text follows. */
  end(): string;
}

/** @param onRedacted called once for each secret */
export function createScanner(rules: Rules, onRedacted: (kind: RedactionKind) => void): Scanner {
  /** Context for rules that look back, followed by undecided text. */
  let text = '';
  /** Text before this index is decided. */
  let scan = 0;
  /** Text before this index has been returned or replaced; above `scan` after a pause. */
  let shown = 0;
  /** The index of an open match that a pause has replaced. */
  let markedAt = -1;
  /** Where the last secret ends, or what a pause replaced as one. */
  let secretEnd = -1;
  /** Skips the rest of a secret that continues. */
  let skip: Continuation | undefined;

  function advance(mode: 'add' | 'pause' | 'end', mark: string): string {
    const isEnd = mode === 'end';
    let out = '';
    const show = (to: number): void => {
      if (to > shown) out += text.slice(shown, to);
      shown = Math.max(shown, to);
    };
    const replace = (at: number, kind: RedactionKind): void => {
      if (markedAt === at) return;
      out += mark;
      onRedacted(kind);
    };

    let at = scan;
    const limit =
      mode === 'add' && rules.windows.length > 0
        ? Math.max(at, text.length - rules.windowUnits + 1)
        : text.length;
    const next = createSearch(rules, text, isEnd);
    /** Text before this index is decided, or visible regardless of the decision. */
    let visibleTo = -1;
    for (;;) {
      if (skip) {
        const { to, isOver } = skip(text, at, isEnd);
        at = to;
        secretEnd = to;
        shown = Math.max(shown, to);
        if (!isOver) break;
        skip = undefined;
      }
      const found = next(at, secretEnd);
      if (!found || found.at >= limit) {
        const rest = isEnd ? text.length : Math.min(limit, fragmentStart(rules.heldFragment, text, at));
        visibleTo = Math.max(at, rest);
        at = isEnd ? visibleTo : Math.max(at, Math.min(limit, fragmentStart(rules.fragment, text, at)));
        break;
      }
      at = found.at;
      const { match, kind } = found;
      if (match.is === 'secret') {
        show(match.from);
        if (match.to > shown) replace(at, kind);
        shown = Math.max(shown, match.to);
        at = Math.max(match.to, at + 1);
        secretEnd = match.to;
        skip = match.skip;
      } else if (match.is === 'open') {
        visibleTo = hasNoOtherMatch(rules, text, at, match.from) ? match.from : at;
        if (mode === 'add') break;
        if (match.likely && text.length > shown) {
          show(match.from);
          replace(at, kind);
          markedAt = at;
          shown = text.length;
          secretEnd = shown;
        }
        break;
      }
    }
    if (mode !== 'add') {
      // The continuation of a secret is not shown, but a joint at its end is.
      show(text.length);
      // Text in which patterns may still match is examined again.
      if (!isEnd && rules.windows.length > 0 && !skip)
        at = Math.min(at, Math.max(scan, text.length - rules.windowUnits + 1));
    } else if (!skip) {
      show(visibleTo);
    }
    settle(at);
    return out;
  }

  /** Drops text that no rule can look back at any more. */
  function settle(at: number): void {
    const cut = Math.max(0, Math.min(at, shown) - rules.contextUnits);
    text = text.slice(cut);
    scan = at - cut;
    shown -= cut;
    secretEnd -= cut;
    if (markedAt >= 0) markedAt = markedAt < at ? -1 : markedAt - cut;
  }

  return {
    add(more) {
      text += more;
      return advance('add', MARK);
    },
    pause: (mark = MARK) => advance('pause', mark),
    end: () => advance('end', MARK),
  };
}
