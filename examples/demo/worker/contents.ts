// An agent in structured mode: builds a table of contents and word statistics, one partial value after the other.
import { callTool, type Parent } from './conduct.ts';
import { paced } from './pace.ts';
import { frequentWords, type Heading, type TextStatistics, type WordCount } from './statistics.ts';

/** The value at the end. */
interface Contents {
  readonly files: FileContents[];
  readonly totals: { files: number; lines: number; words: number };
  frequentWords?: WordCount[];
}

interface FileContents {
  readonly path: string;
  readonly title: string;
  readonly lines: number;
  readonly words: number;
  readonly headings: Heading[];
}

/** The duration for all files, in ms. */
const OUTLINE_MS = 7_000;
const MAX_HEADINGS = 12;
const MAX_WORDS = 8;

/** Builds the contents of the texts, in a separate agent. */
export function makeContents(workflow: Parent, texts: readonly TextStatistics[]): Promise<void> {
  const agent = {
    id: `${workflow.id}-contents`,
    kind: 'agent',
    mode: 'STRUCTURED',
    name: 'contents',
    action: 'make-contents',
  } as const;

  return workflow.runChild(agent, async (run, signal) => {
    const contents: Contents = { files: [], totals: { files: 0, lines: 0, words: 0 } };
    const steps = texts.reduce((sum, { headings }) => sum + 1 + Math.min(headings.length, MAX_HEADINGS), 1);
    const everyMs = OUTLINE_MS / steps / workflow.pace;

    for await (const text of paced(texts, everyMs, signal)) {
      const { path, title, lines, words } = text;
      await run.status('RUNNING', `outline ${path}`);
      const tool = {
        toolCallId: `outline-${contents.files.length + 1}`,
        toolName: 'outline',
        args: { path },
      };
      const outline = () => text.headings.slice(0, MAX_HEADINGS);
      const headings = await callTool([run], tool, outline, (outlined) => ({ headings: outlined.length }));

      const file: FileContents = { path, title, lines, words, headings: [] };
      contents.files.push(file);
      contents.totals.files += 1;
      contents.totals.lines += lines;
      contents.totals.words += words;
      // The publisher compares each value with the previous one and sends only the difference.
      await run.value(contents);
      for await (const heading of paced(headings, everyMs, signal)) {
        file.headings.push(heading);
        await run.value(contents);
      }
    }

    contents.frequentWords = [];
    for await (const word of paced(frequentWords(texts, MAX_WORDS), everyMs / 2, signal)) {
      contents.frequentWords.push(word);
      await run.value(contents);
    }
    await run.complete();
  });
}
