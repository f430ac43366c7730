// The content of a state: which events concern it, and what a result restores. Its laws: state.test.ts.
import { describe, expect, test } from 'vitest';
import {
  type ContentState,
  type EventContent,
  initialContent,
  reduceContent,
  resultContent,
} from '../../src/event/content-state.ts';

const text: ContentState = { text: 'a', completeness: 'full' };
const value: ContentState = { value: { a: 1 }, completeness: 'full' };

describe('an event of the other mode', () => {
  test.each<[string, ContentState, EventContent]>([
    ['a chunk', value, { type: 'llm_chunk', data: { content: 'b' } }],
    ['a patch', text, { type: 'structured_delta', data: { patch: [{ op: 'add', path: '', value: 1 }] } }],
    ['the loss of a prefix', value, { type: 'warning', data: { code: 'PREFIX_LOST', message: 'm' } }],
  ])('returns the same state: %s', (_, state, event) => {
    expect(reduceContent(state, event)).toBe(state);
  });

  test('is a gap without content if it is a gap with a text or value of the other mode', () => {
    const gap = { fromSeq: 1, toSeq: 2 };
    expect(reduceContent(value, { type: 'gap', data: { ...gap, text: 'b' } })).toStrictEqual({
      value: { a: 1 },
      completeness: 'partial',
    });
    expect(reduceContent(text, { type: 'gap', data: { ...gap, value: 'b' } })).toStrictEqual({
      text: '',
      completeness: 'partial',
    });
  });
});

test('a warning with another code than PREFIX_LOST does not make a text partial', () => {
  const warning: EventContent = { type: 'warning', data: { code: 'SOURCE_UNAVAILABLE', message: 'm' } };
  expect(reduceContent(text, warning)).toBe(text);
});

test('a gap with a value sets a partial value, null included', () => {
  const partial: ContentState = { ...value, completeness: 'partial' };
  const gap: EventContent = { type: 'gap', data: { fromSeq: 1, toSeq: 2, value: null } };
  expect(reduceContent(partial, gap)).toStrictEqual({ value: null, completeness: 'full' });
});

test('the result of `complete` does not replace a full text', () => {
  const complete: EventContent = {
    type: 'complete',
    data: { status: 'SUCCESS', durationMs: 1, result: 'another' },
  };
  expect(reduceContent(text, complete)).toBe(text);
  expect(reduceContent({ ...text, completeness: 'partial' }, complete)).toStrictEqual({
    text: 'another',
    completeness: 'full',
  });
});

test('the content of an unknown mode has a text and a value', () => {
  expect(initialContent()).toStrictEqual({ text: '', value: null, completeness: 'full' });
});

describe('resultContent', () => {
  test.each([
    ['a text', { kind: 'agent', mode: 'TEXT', result: 'abc' }, { text: 'abc' }],
    ['an empty text', { kind: 'task', mode: 'TEXT', result: '' }, { text: '' }],
    ['a value', { kind: 'task', mode: 'STRUCTURED', result: [1] }, { value: [1] }],
    ['a value that is a string', { kind: 'agent', mode: 'STRUCTURED', result: 'abc' }, { value: 'abc' }],
    ['null', { kind: 'agent', mode: 'STRUCTURED', result: null }, { value: null }],
    ['an object in text mode, which is no content', { kind: 'agent', mode: 'TEXT', result: { a: 1 } }, {}],
    ['no result in text mode', { kind: 'agent', mode: 'TEXT' }, {}],
    ['no result in structured mode', { kind: 'agent', mode: 'STRUCTURED' }, {}],
    ['the result of a workflow, which has no content', { kind: 'workflow', mode: 'TEXT', result: 'abc' }, {}],
  ] as const)('restores the content from %s', (_, row, content) => {
    expect(resultContent(row as Parameters<typeof resultContent>[0])).toStrictEqual(content);
  });
});
