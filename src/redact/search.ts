// Finds the places of a text at which a secret stands, or may stand once more text has come.
import type { Rules } from './compile.ts';
import { MAX_TRIGGER_UNITS, type Match, type RedactionKind, type Rule } from './rule.ts';

export interface Found {
  readonly at: number;
  readonly kind: RedactionKind;
  readonly look: Match;
}

/**
 * Finds, from a place on, the next one that is a secret or open. To be asked for growing places, and told how far the
 * last secret before them goes.
 */
export function createSearch(
  rules: Rules,
  text: string,
  isEnd: boolean,
): (from: number, secretEnd: number) => Found | undefined {
  /** Each pattern's next match, where it is known. */
  const matches = rules.windows.map((): { at: number; to: number } | undefined => undefined);
  /** Up to where a rule has said that it has nothing. */
  const nothing = new Map<Rule, number>();

  function windowMatch(from: number): { at: number; to: number } | undefined {
    let best: { at: number; to: number } | undefined;
    for (const [i, { pattern }] of rules.windows.entries()) {
      let match = matches[i];
      if (match === undefined || match.at < from) match = matches[i] = exec(pattern, text, from);
      if (
        match.at < text.length &&
        (!best || match.at < best.at || (match.at === best.at && match.to > best.to))
      )
        best = match;
    }
    return best;
  }

  function lookAt(at: number, secretEnd: number): Found | undefined {
    let best: Found | undefined;
    for (const [rule, trigger] of rules.byUnit.get(text[at]!) ?? []) {
      const there = text.slice(at, at + trigger.length);
      if ((rule.ignoresCase ? there.toLowerCase() : there) !== trigger) continue;
      if (at < (nothing.get(rule) ?? 0)) continue;
      const look = rule.match(text, at, trigger, isEnd, at === secretEnd);
      if (look.is === 'no') {
        if (look.until !== undefined) nothing.set(rule, look.until);
      } else best = better(best, { at, kind: rule.kind, look });
    }
    return best;
  }

  return (from, secretEnd) => {
    const window = rules.windows.length > 0 ? windowMatch(from) : undefined;
    rules.trigger.lastIndex = from;
    for (;;) {
      const match = rules.trigger.exec(text);
      const at = match?.index ?? text.length;
      if (window && window.at <= at) {
        const found: Found = {
          at: window.at,
          kind: 'pattern',
          look: { is: 'secret', from: window.at, to: window.to },
        };
        return better(at === window.at ? lookAt(at, secretEnd) : undefined, found);
      }
      if (!match) return undefined;
      const found = lookAt(at, secretEnd);
      if (found) return found;
      rules.trigger.lastIndex = at + 1;
    }
  };
}

/** Of two at one place: an open one, lest the answer depend on the cuts (likely, if the other is); the longer one. */
function better(a: Found | undefined, b: Found): Found {
  if (!a) return b;
  if (a.look.is === 'open' || b.look.is === 'open') {
    const [open, other] = a.look.is === 'open' ? [a, b] : [b, a];
    if (open.look.is !== 'open') return open;
    const likely =
      open.look.likely || other.look.is === 'secret' || (other.look.is === 'open' && other.look.likely);
    return { ...open, look: { ...open.look, likely } };
  }
  return a.look.is === 'secret' && b.look.is === 'secret' && b.look.to > a.look.to ? b : a;
}

function exec(pattern: RegExp, text: string, from: number): { at: number; to: number } {
  pattern.lastIndex = from;
  for (;;) {
    const match = pattern.exec(text);
    if (!match) return { at: text.length, to: text.length };
    // An empty match replaces nothing.
    if (match[0] !== '') return { at: match.index, to: match.index + match[0].length };
    pattern.lastIndex = match.index + 1;
  }
}

/** Whether no other secret may begin between an open place and what may be its secret. */
export function isClear(rules: Rules, text: string, at: number, from: number): boolean {
  if (rules.windows.length > 0 || endingAt(rules.heldFragment, text, at) < from) return false;
  rules.trigger.lastIndex = at + 1;
  return (rules.trigger.exec(text)?.index ?? from) >= from;
}

/** Where the beginning of a trigger stands at the text's end; the text's length where there is none. */
export function endingAt(fragment: RegExp, text: string, from: number): number {
  const start = Math.max(from, text.length - MAX_TRIGGER_UNITS + 1);
  const index = text.slice(start).search(fragment);
  return index < 0 ? text.length : start + index;
}
