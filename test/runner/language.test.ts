// The language check: it finds the words to avoid, leaves their ordinary meanings alone, and never accepts more of them.
import { describe, expect, test } from 'vitest';
import { countWords, findWords, newFindings, raisedWords } from '../../scripts/language.ts';

const wordsOf = (path: string, content: string) => findWords(path, content).map(({ rule }) => rule.word);

test.each([
  ['told', 'The viewer is told of it.'],
  ['what is', 'Sends what is there.'],
  ['whoever', 'Whoever has it may write.'],
  ['anew', 'The log is begun anew.'],
  ['lest', 'Copied, lest it change.'],
  ['stands', 'The event stands in the log.'],
  ['behind', 'Reads on behind the cursor.'],
  ['lets go of', 'Lets go of the oldest events.'],
  ['at once', 'It is sent at once.'],
  ['so many', 'Takes so many a second.'],
  ['refused', 'The append is refused.'],
  ['is no', 'The body is no JSON.'],
])('"%s" is found in a comment, a message and a document', (word, text) => {
  expect(wordsOf('src/a.ts', `// ${text}\nthrow new Error('${text}');`)).toEqual([word, word]);
  expect(wordsOf('a.md', `# A page\n\n${text}\n`)).toEqual([word]);
});

test.each([
  'A server behind a proxy, or behind another load balancer, falls behind and leaves nothing behind.',
  'The connection was refused.',
  'It decides what is sent, as long as there are so many that it pays, for good reason.',
  'There is none; it stands for the execution; the work behind an execution.',
])('ordinary meanings are left alone: %s', (text) => {
  expect(wordsOf('a.md', text)).toEqual([]);
});

describe('only text for people is checked', () => {
  test.each([
    ['a heading that asks a question', 'a.md', '## What is embedded\n'],
    ['a question', 'a.md', 'But what is a cursor?\n'],
    ['code in a document', 'a.md', 'Set `told`:\n\n```ts\nconst told = anew;\n```\n'],
    ['code in a comment', 'src/a.ts', '/** Sets `told`. */'],
    ['names and regular expressions', 'src/a.ts', 'const told = /\'whoever "is told anew/;'],
    ['a string of one or two words', 'src/a.ts', "const kind = 'told';"],
    ['expressions in a message', 'src/a.ts', `const text = \`it took \${told.anew} ms in all\`;`],
    ['the list of words to avoid', 'CONTRIBUTING.md', '| told, anew | sent, again |'],
  ])('not %s', (_, path, content) => {
    expect(wordsOf(path, content)).toEqual([]);
  });

  test.each([
    ['Lua', 'src/a.lua', '-- it is told\nlocal told = 1'],
    ['SQL', 'prisma/a.sql', '-- it is told\nSELECT told'],
    ['Prisma', 'prisma/a.prisma', '/// it is told\nmodel told {}'],
    ['shell', '.ci/run', '# it is told\necho $told'],
  ])('comments of %s are checked', (_, path, content) => {
    expect(wordsOf(path, content)).toEqual(['told']);
  });
});

test('a finding has the line and the words as written, also where a comment is wrapped', () => {
  const [found] = findWords('src/a.ts', 'const a = 1;\n// Sent to all of them at\n// once.\n');
  expect([found?.line, found?.found]).toEqual([2, 'at once']);
});

describe('the baseline', () => {
  const file = (path: string, ...words: string[]) =>
    findWords(path, words.map((word) => `// It is ${word}.`).join('\n\n'));
  const baseline = countWords(file('a.ts', 'told', 'told', 'anew'));

  test('has the number of each word in each file', () => {
    expect(baseline).toEqual({ 'a.ts': { told: 2, anew: 1 } });
  });

  test('accepts its words and fewer, and reports those of a file that has more', () => {
    expect(newFindings(file('a.ts', 'told', 'told', 'anew'), baseline)).toEqual([]);
    expect(newFindings(file('a.ts', 'told'), baseline)).toEqual([]);
    expect(newFindings(file('a.ts', 'anew', 'anew'), baseline).map(({ line }) => line)).toEqual([1, 3]);
    expect(newFindings(file('b.ts', 'told'), baseline)).toHaveLength(1);
  });

  test('moves with a file, and is never raised', () => {
    expect(raisedWords(countWords(file('b.ts', 'told', 'told', 'anew')), baseline)).toEqual([]);
    expect(raisedWords(countWords([...file('a.ts', 'told'), ...file('b.ts', 'told')]), baseline)).toEqual([]);
    expect(raisedWords(countWords(file('a.ts', 'anew', 'anew')), baseline)).toEqual(['anew']);
    expect(raisedWords({}, baseline)).toEqual([]);
  });
});
