// An agent in text mode: writes a report on the statistics, one word at a time. The text comes from a template; no
// model is called.
import { callTool, type Parent } from './conduct.ts';
import { paced } from './pace.ts';
import { frequentWords, type TextStatistics, type WordCount } from './statistics.ts';

/** The duration of the report, in ms. */
const WRITE_MS = 10_000;
const MAX_WORDS = 6;
const BAR_WIDTH = 24;

/**
 * Writes a report on the texts, in a separate agent.
 * @param onStarted called with its execution id once it can be watched.
 */
export function writeReport(
  workflow: Parent,
  texts: readonly TextStatistics[],
  onStarted: (executionId: string) => void,
): Promise<void> {
  const agent = {
    id: `${workflow.id}-report`,
    kind: 'agent',
    mode: 'TEXT',
    name: 'report',
    action: 'write-report',
  } as const;

  return workflow.runChild(agent, async (run, signal) => {
    onStarted(run.id);
    const tool = { toolCallId: 'rank-1', toolName: 'rank_words', args: { most: MAX_WORDS } };
    const rank = () => frequentWords(texts, MAX_WORDS);
    const ranking = await callTool([run], tool, rank, (words) => words.map(({ word }) => word));

    await run.status('RUNNING', 'write');
    const pieces = composeReport(texts, ranking).match(/\s*\S+|\s+$/g) ?? [];
    // `text` accepts any AsyncIterable of strings, for example the text stream of a model SDK.
    await run.text(paced(pieces, WRITE_MS / pieces.length / workflow.pace, signal));
    await run.complete();
  });
}

/** The report as Markdown. */
function composeReport(texts: readonly TextStatistics[], ranking: readonly WordCount[]): string {
  const lines = sum(texts.map((text) => text.lines));
  const words = sum(texts.map((text) => text.words));
  const longest = texts.reduce((a, b) => (b.words > a.words ? b : a));
  const headings = sum(texts.map((text) => text.headings.length));
  const maxCount = ranking[0]?.count ?? 1;
  const bars = ranking.map(({ word, count }) => {
    const bar = '█'.repeat(Math.max(1, Math.round((count / maxCount) * BAR_WIDTH)));
    return `    ${word.padEnd(14)} ${bar} ${count}`;
  });

  return `# What is in ${counted(texts.length, 'file')}

I have read ${counted(lines, 'line')} with ${counted(words, 'word')} under ${counted(headings, 'heading')}. \
At the pace of a person that is ${counted(Math.max(1, Math.round(words / 230)), 'minute')} of reading.

## File by file

${texts.map(describe).join('\n')}

## Frequent words

${bars.join('\n')}

## Summary

The longest is ${longest.path}, with ${percent(longest.words, words)} of all words. \
${ranking[0] ? `“${ranking[0].word}” is the most frequent word: once in ${counted(Math.round(words / ranking[0].count), 'word')}.` : ''}
`;
}

function describe(text: TextStatistics, i: number): string {
  const [first] = frequentWords([text], 1);
  const frequent = first ? `, most often “${first.word}” (${first.count}×)` : '';
  return `${i + 1}. ${text.path} — ${text.title}
   ${counted(text.lines, 'line')}, ${counted(text.words, 'word')}${frequent}.`;
}

function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;
}

function percent(part: number, total: number): string {
  return `${total === 0 ? 0 : Math.round((part / total) * 100)} %`;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
