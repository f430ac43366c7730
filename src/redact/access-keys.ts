// Keys of providers, recognised by their prefix at the start of a word, and by the letters that follow: names may begin
// with the same units (`sk-learn-pipeline-v2`).
import { type CharacterRun, endOfRun, LIKELY_UNITS, NO_MATCH, type Rule, skipRun } from './rule.ts';
import { looksGenerated, SAMPLE_UNITS } from './words.ts';

interface AccessKeyRule extends Omit<Rule, 'match' | 'startsWord'> {
  /** The units after the trigger. */
  readonly run: CharacterRun;
  /** The shortest run that is a key, in code units. */
  readonly min: number;
  /** Whether a run is a key, by its first SAMPLE_UNITS; if so, it must be one with any text appended. */
  readonly isKey: (sample: string) => boolean;
}

/** A key that consists of a trigger at the start of a word, and a run of one class. */
function accessKey({ run, min, isKey, ...rule }: AccessKeyRule): Rule {
  return {
    ...rule,
    startsWord: true,
    match(text, at, trigger, isEnd) {
      const start = at + trigger.length;
      const from = rule.keepsTrigger ? start : at;
      const window = text.slice(start, start + SAMPLE_UNITS);
      const { to: units, isOpen } = endOfRun(run, window, 0, isEnd || window.length === SAMPLE_UNITS);
      if (units >= min && isKey(window.slice(0, units))) {
        return { is: 'secret', from, to: start + units, skip: skipRun(run) };
      }
      return isOpen ? { is: 'open', likely: units >= LIKELY_UNITS, from } : NO_MATCH;
    },
  };
}

const ALPHANUMERIC: CharacterRun = { units: /[A-Za-z0-9]*/y };
const WORD: CharacterRun = { units: /[A-Za-z0-9_]*/y };
const any = (): boolean => true;

export const ACCESS_KEYS: readonly Rule[] = [
  // OpenAI, Anthropic and services with compatible keys.
  accessKey({
    kind: 'sk',
    triggers: ['sk-'],
    run: { units: /[A-Za-z0-9_-]*/y },
    min: 16,
    isKey: looksGenerated,
  }),
  accessKey({ kind: 'aws', triggers: ['AKIA', 'ASIA'], run: { units: /[A-Z0-9]*/y }, min: 16, isKey: any }),
  accessKey({
    kind: 'github',
    triggers: ['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_'],
    run: ALPHANUMERIC,
    min: 20,
    isKey: any,
  }),
  accessKey({
    kind: 'github',
    triggers: ['github_pat_'],
    run: WORD,
    min: 20,
    isKey: (sample) => /^[A-Za-z0-9]{20}/.test(sample),
  }),
  accessKey({
    kind: 'slack',
    triggers: [...'abcdeoprs'].map((letter) => `xox${letter}-`).concat('xapp-1-'),
    run: { units: /[A-Za-z0-9-]*/y },
    min: 10,
    isKey: (sample) => /\d{9}/.test(sample) || looksGenerated(sample),
  }),
  accessKey({
    kind: 'slack',
    triggers: ['hooks.slack.com/', 'hooks.slack-gov.com/'],
    run: { units: /[A-Za-z0-9_/-]*/y },
    min: 16,
    keepsTrigger: true,
    isKey: looksGenerated,
  }),
];
