// Finds the positions of a text at which a secret begins, or may begin once more text has arrived.
import type { Rules } from './compile.ts';
import { MAX_TRIGGER_UNITS, type Match, type RedactionKind, type Rule } from './rule.ts';
import { isInWord } from './words.ts';

export interface Found {
  readonly at: number;
  readonly kind: RedactionKind;
  readonly match: Match;
}

/**
 * Creates a function that finds the next secret or open match from a position on. It must be called with ascending
 * positions, and with the end of the last secret before them.
 */
export function createSearch(
  rules: Rules,
  text: string,
  isEnd: boolean,
): (from: number, secretEnd: number) => Found | undefined {
  /** The next match of each pattern, if it is known. */
  const matches = rules.windows.map((): { at: number; to: number } | undefined => undefined);
  /** Positions up to which a rule has reported no match. */
  const noMatchUntil = new Map<Rule, number>();

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

  function matchAt(at: number, secretEnd: number): Found | undefined {
    let best: Found | undefined;
    for (const [rule, trigger] of rules.byUnit.get(text[at]!) ?? []) {
      const candidate = text.slice(at, at + trigger.length);
      if ((rule.ignoresCase ? candidate.toLowerCase() : candidate) !== trigger) continue;
      if (at < (noMatchUntil.get(rule) ?? 0)) continue;
      const isAfterSecret = at === secretEnd;
      if (rule.startsWord && !isAfterSecret && isInWord(text, at)) continue;
      const match = rule.match(text, at, trigger, isEnd, isAfterSecret);
      if (match.is === 'no') {
        if (match.until !== undefined) noMatchUntil.set(rule, match.until);
      } else best = prefer(best, { at, kind: rule.kind, match });
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
          match: { is: 'secret', from: window.at, to: window.to },
        };
        return prefer(at === window.at ? matchAt(at, secretEnd) : undefined, found);
      }
      if (!match) return undefined;
      const found = matchAt(at, secretEnd);
      if (found) return found;
      rules.trigger.lastIndex = at + 1;
    }
  };
}

/**
 * Of two matches at one position, an open one, so that the result does not depend on how the text is cut; it is likely
 * if the other one is. Otherwise the longer one.
 */
function prefer(a: Found | undefined, b: Found): Found {
  if (!a) return b;
  if (a.match.is === 'open' || b.match.is === 'open') {
    const [open, other] = a.match.is === 'open' ? [a, b] : [b, a];
    if (open.match.is !== 'open') return open;
    const likely =
      open.match.likely || other.match.is === 'secret' || (other.match.is === 'open' && other.match.likely);
    return { ...open, match: { ...open.match, likely } };
  }
  return a.match.is === 'secret' && b.match.is === 'secret' && b.match.to > a.match.to ? b : a;
}

function exec(pattern: RegExp, text: string, from: number): { at: number; to: number } {
  pattern.lastIndex = from;
  for (;;) {
    const match = pattern.exec(text);
    if (!match) return { at: text.length, to: text.length };
    // An empty match is not a secret.
    if (match[0] !== '') return { at: match.index, to: match.index + match[0].length };
    pattern.lastIndex = match.index + 1;
  }
}

/** Whether no other secret can begin between an open match and the secret that it may become. */
export function hasNoOtherMatch(rules: Rules, text: string, at: number, from: number): boolean {
  if (rules.windows.length > 0 || fragmentStart(rules.heldFragment, text, at) < from) return false;
  rules.trigger.lastIndex = at + 1;
  return (rules.trigger.exec(text)?.index ?? from) >= from;
}

/** Where an incomplete trigger begins at the end of a text; the length of the text if there is none. */
export function fragmentStart(fragment: RegExp, text: string, from: number): number {
  const start = Math.max(from, text.length - MAX_TRIGGER_UNITS + 1);
  const index = text.slice(start).search(fragment);
  return index < 0 ? text.length : start + index;
}
