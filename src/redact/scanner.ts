// Replaces secrets in a text that comes in pieces. However it is cut, the same comes out as for the whole text.
//
// Invariants:
// 1. What is decided does not depend on the cuts: a rule says `open` until what it says holds for every longer text
//    too, and nothing behind an open place is looked at.
// 2. Held back is only what may be the beginning of a secret, bounded by what its rule looks ahead (2 Ki units; a
//    pattern's `maxLength`, a literal's length). What is certain to be a secret is replaced at once, and the rest of
//    it is passed over as it comes, however long.
// 3. After `pause()` nothing is held back: something else is said next, and text keeps its place before it. What is
//    open is let go of or, where it would give much of a secret away (`likely`), replaced. It is remembered all the
//    same: if it becomes a secret, what comes then is not shown. Of a secret with another event inside, at most
//    the first few units are shown, and never the end.

import type { Rules } from './compile.ts';
import { type Continuation, MARK, type RedactionKind } from './rule.ts';
import { createSearch, endingAt, isClear } from './search.ts';

export interface Scanner {
  /** Takes text in, gives out what is decided. */
  add(text: string): string;
  /**
   * What is held back, for something else comes next; `mark` stands for what is likely to become a secret. Text may
   * follow.
   */
  pause(mark?: string): string;
  /** What is held back, decided: no more text comes. */
  end(): string;
}

/** @param onRedacted told of each secret once. */
export function createScanner(rules: Rules, onRedacted: (kind: RedactionKind) => void): Scanner {
  /** Some context, and what is not decided. */
  let text = '';
  /** Before it all is decided. */
  let scan = 0;
  /** Before it all was given out or replaced; above `scan` after a pause. */
  let shown = 0;
  /** The place of an open one that a pause has put the mark for. */
  let markedAt = -1;
  /** How far the last secret goes, or what a pause took for one. */
  let secretEnd = -1;
  /** Where a secret goes on. */
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
        ? Math.max(at, text.length - rules.contextUnits + 1)
        : text.length;
    const next = createSearch(rules, text, isEnd);
    /** What is decided, or shown whatever is decided. */
    let free = -1;
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
        const rest = isEnd ? text.length : Math.min(limit, endingAt(rules.heldFragment, text, at));
        free = Math.max(at, rest);
        at = isEnd ? free : Math.max(at, Math.min(limit, endingAt(rules.fragment, text, at)));
        break;
      }
      at = found.at;
      const { look, kind } = found;
      if (look.is === 'secret') {
        show(look.from);
        if (look.to > shown) replace(at, kind);
        shown = Math.max(shown, look.to);
        at = Math.max(look.to, at + 1);
        secretEnd = look.to;
        skip = look.skip;
      } else if (look.is === 'open') {
        free = isClear(rules, text, at, look.from) ? look.from : at;
        if (mode === 'add') break;
        if (look.likely && text.length > shown) {
          show(look.from);
          replace(at, kind);
          markedAt = at;
          shown = text.length;
          secretEnd = shown;
        }
        break;
      }
    }
    if (mode !== 'add') {
      // What a secret goes on with is not shown, a joint at its end is.
      show(text.length);
      // What patterns may yet find is looked at again.
      if (!isEnd && rules.windows.length > 0 && !skip)
        at = Math.min(at, Math.max(scan, text.length - rules.contextUnits + 1));
    } else if (!skip) {
      show(free);
    }
    settle(at);
    return out;
  }

  /** Forgets what needs no longer be known. */
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
