// Counts the lines, words and headings of a text. It is independent of executions.

export interface Heading {
  readonly level: number;
  readonly text: string;
}

export interface TextStatistics {
  readonly path: string;
  /** Its first heading, else its path. */
  readonly title: string;
  readonly lines: number;
  readonly words: number;
  readonly headings: readonly Heading[];
  /**
   * The number of occurrences of each longer word, in lower case, most frequent first. Plain JSON, like the rest.
   */
  readonly counts: readonly (readonly [word: string, count: number])[];
}

export interface WordCount {
  readonly word: string;
  readonly count: number;
}

/** Shorter words say little about the subject of a text. */
const MIN_LETTERS = 5;

/** Counts one text. */
export function countText(path: string, text: string): TextStatistics {
  const words = text.match(/\p{L}[\p{L}\p{M}\p{N}’'-]*/gu) ?? [];
  const counts = new Map<string, number>();
  for (const word of words) {
    if (word.length < MIN_LETTERS) continue;
    const key = word.toLowerCase();
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const byCount = [...counts].sort(([, a], [, b]) => b - a);
  const headings = headingsOf(text);
  const lines = text.split('\n').length - (text.endsWith('\n') ? 1 : 0);
  return { path, title: headings[0]?.text ?? path, lines, words: words.length, headings, counts: byCount };
}

/** The most frequent words of all texts, most frequent first. */
export function frequentWords(texts: readonly TextStatistics[], limit: number): WordCount[] {
  const sums = new Map<string, number>();
  for (const { counts } of texts) {
    for (const [word, count] of counts) sums.set(word, (sums.get(word) ?? 0) + count);
  }
  return [...sums]
    .map(([word, count]) => ({ word, count }))
    .sort((a, b) => b.count - a.count || a.word.localeCompare(b.word))
    .slice(0, limit);
}

/** Markdown headings, except for lines with `#` inside a fenced block. */
function headingsOf(text: string): Heading[] {
  const headings: Heading[] = [];
  let isFenced = false;
  for (const line of text.split(/\r?\n/)) {
    if (/^\s*(```|~~~)/.test(line)) isFenced = !isFenced;
    const [, marks, heading] = (!isFenced && /^(#{1,6})\s+(.+?)\s*#*$/.exec(line)) || [];
    if (marks && heading) headings.push({ level: marks.length, text: heading });
  }
  return headings;
}
