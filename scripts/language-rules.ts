// The words that CONTRIBUTING.md, "Words to avoid" lists, as patterns that leave their ordinary meanings alone.
export interface Rule {
  readonly word: string;
  readonly pattern: RegExp;
  /** What to write instead. */
  readonly use: string;
  /** Whether `--summary` counts it. */
  readonly inSummary?: boolean;
}

const rule = (word: string, pattern: RegExp, use: string): Rule => ({ word, pattern, use });
const counted = (word: string, pattern: RegExp, use: string): Rule => ({
  word,
  pattern,
  use,
  inSummary: true,
});

/** A question, also an indirect one: "decides what is sent", "What is embedded?". */
const ASKING = String.raw`(?<!\b(?:check|decide|define|describe|determine|document|explain|know|list|see|show|verifie)[sd]? )`;
const LAGGING = String.raw`(?<!\b(?:fall|fell|lag|leave|left|stay|wait)(?:s|en|ing|ging)?(?: [\w,'-]+){0,4} |\b(?:idea|reason|work) )`;
const PLACES = String.raw`(?: \w+)? (?:prox(?:y|ies)|balancer|nginx|Envoy|firewall|NAT|gateway|TLS|Sentinels?|flag|scenes)\b`;

export const RULES: readonly Rule[] = [
  counted('told', /\b(?:told|tells?|telling)\b(?! \w+ apart)/gi, 'sent, emitted, reported, notified'),
  counted(
    'what is',
    new RegExp(String.raw`${ASKING}\bwhat (?:is|was|has|had|are|were)\b(?![^.;:]*\?)`, 'gi'),
    'a noun: the events, the contents, the result',
  ),
  counted('whoever', /\bwhoever\b/gi, 'the owner, the caller, the reader'),
  counted('anew', /\banew\b/gi, 'again, restart, recreate'),
  counted('lest', /\blest\b/gi, 'so that … not'),
  counted('stands', /\bstands?\b(?!-| (?:for|by|out|alone|up)\b)/gi, 'is stored, is at'),
  counted(
    'behind',
    new RegExp(
      String.raw`${LAGGING}\bbehind\b(?! schedule| it all|,? (?:a|an|the|its|your|one|some|another)?${PLACES})`,
      'gi',
    ),
    'after',
  ),
  counted('lets go of', /\blet(?:s|ting)? go\b/gi, 'releases, evicts, drops, discards'),
  counted('at once', /\bat once\b/gi, 'immediately; in one batch; concurrently'),
  counted('so many', /\bso (?:many|long|much|often)\b(?! as\b| that\b)/gi, 'up to N, a limit, a timeout'),
  rule('said', /\b(?:said|saying|says? again)\b/gi, 'sent, reported, recorded'),
  rule(
    'refused',
    /(?<!\bconnections? (?:is |was |are )?)\b(?:[Rr]efus(?:ed|es|ing)|refusals?)\b/g,
    'rejected, rejection',
  ),
  rule('asks', /\bask(?:s|ed|ing)\b/gi, 'queries, requests'),
  rule('answer', /\banswer(?:s|ed|ing)?\b/gi, 'response, responds, returns'),
  rule('look at', /\b(?:look(?:s|ed|ing)? at|a look|looks (?:is|are) taken)\b/gi, 'check, poll, read'),
  rule('bound', /\b(?:an?|the|its|this|that|within|beyond|no) bounds?\b/gi, 'timeout (time), limit (amount)'),
  rule('for good', /\bfor good\b(?! reasons?)/gi, 'permanently'),
  rule('alike', /\balike\b/gi, 'identical, both'),
  rule('in vain', /\bin vain\b/gi, 'without result'),
  rule(
    'by itself',
    /\b(?:by (?:it|them)sel(?:f|ves)|of (?:its|their|our|one's) own)\b/gi,
    'automatically; its own',
  ),
  rule('mend', /\bmend(?:s|ed|ing)?\b/gi, 'repair, fix'),
  rule('parted', /\bparted\b/gi, 'split, partitioned'),
  rule(
    'whole',
    /\b(?:is|are|was|were|comes?|stays?|arrives?) whole\b(?! number)|\bwhole (?:again|after all)\b/gi,
    'complete, full',
  ),
  rule('made good', /\bma(?:de|ke|kes|king) good\b/gi, 'recovered, resent'),
  rule('found out', /\b(?:finds?|found|finding) out\b/gi, 'detected'),
  rule('meanwhile', /\bmeanwhile\b/gi, 'in the meantime, concurrently'),
  rule('handed over', /\bhand(?:ed|s) over\b/gi, 'passed'),
  rule('in one go', /\bin one go\b/gi, 'in one write, in one step'),
  rule('is no', /(?<!\b[Tt]here )\b(?:is|are) (?:none|no [A-Z]{2,})\b/g, 'is not a …, is not valid …'),
  rule('amiss', /\bamiss\b/gi, 'wrong, invalid'),
  rule('who lags', /\bwho (?:lags?|comes?|looks|reads|has it)\b/gi, 'a slow viewer, a client that …'),
];
