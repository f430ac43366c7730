// Compiles rules for searching: all triggers become one regular expression.
import type { Window } from './custom-rules.ts';
import type { Rule } from './rule.ts';
import { WORD_CONTEXT_UNITS } from './words.ts';

export interface Rules {
  /** The rules with each of their triggers, by the first code unit of the trigger. */
  readonly byUnit: ReadonlyMap<string, readonly [Rule, string][]>;
  readonly trigger: RegExp;
  /** Matches an incomplete trigger at the end of a text. */
  readonly fragment: RegExp;
  /** As `fragment`, for triggers that are part of the secret. */
  readonly heldFragment: RegExp;
  readonly windows: readonly Window[];
  /** The longest match of `windows`, in code units; 1 if there are none. */
  readonly windowUnits: number;
  /** Code units before a position that rules may look back at. */
  readonly contextUnits: number;
}

export function compileRules(rules: readonly Rule[], windows: readonly Window[]): Rules {
  const byUnit = new Map<string, [Rule, string][]>();
  const sources: string[] = [];
  const fragments: string[] = [];
  const heldFragments: string[] = [];
  for (const rule of rules) {
    for (const trigger of rule.triggers) {
      const unit = trigger[0]!;
      for (const key of rule.ignoresCase ? [unit, unit.toUpperCase()] : [unit]) {
        const same = byUnit.get(key) ?? [];
        byUnit.set(key, same);
        same.push([rule, trigger]);
      }
      const units = trigger.split('').map((each) => unitSource(each, rule.ignoresCase ?? false));
      sources.push(units.join(''));
      const fragment = units.slice(0, -1).reduceRight((rest, each) => `${each}(?:${rest})?`, '');
      if (fragment !== '') (rule.keepsTrigger ? fragments : heldFragments).push(fragment);
    }
  }
  const windowUnits = Math.max(1, ...windows.map(({ maxLength }) => maxLength));
  return {
    byUnit,
    trigger: new RegExp(sources.length > 0 ? sources.join('|') : '(?!)', 'g'),
    fragment: atEnd([...fragments, ...heldFragments]),
    heldFragment: atEnd(heldFragments),
    windows,
    windowUnits,
    contextUnits: Math.max(windowUnits, WORD_CONTEXT_UNITS),
  };
}

const atEnd = (sources: readonly string[]): RegExp => new RegExp(`(?:${sources.join('|') || '(?!)'})$`);

function unitSource(unit: string, ignoresCase: boolean): string {
  if (ignoresCase && /[a-z]/.test(unit)) return `[${unit}${unit.toUpperCase()}]`;
  return /[\w ]/.test(unit) ? unit : `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
