// The events between two states of a row.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { initialContent, reduceContent } from '../../src/event/content-state.ts';
import type { NewEvent } from '../../src/event/events.ts';
import type { Execution } from '../../src/execution/store.ts';
import { createRowEvents, type RowProgress } from '../../src/source/row-diff.ts';
import { content } from '../support/content.ts';

function row(change: Partial<Execution> = {}): Execution {
  const startedAt = new Date(0);
  const base = { id: 'a1', kind: 'agent', status: 'RUNNING', mode: 'TEXT', attempt: 1, revision: 1 } as const;
  return { ...base, startedAt, ...change };
}

/** Publishes states one after the other; returns the events, and the last progress. */
function publish(
  states: readonly Execution[],
  before?: RowProgress,
): { events: NewEvent[]; progress: RowProgress | undefined } {
  const rowEvents = createRowEvents(content, before);
  const steps = states.flatMap((state) => rowEvents.eventsFor(state));
  return { events: steps.map(({ event }) => event), progress: steps.at(-1)?.progress };
}

const short = (events: readonly NewEvent[]) =>
  events.map(({ type, data }) =>
    type === 'llm_chunk'
      ? data.content
      : type.endsWith('_status')
        ? `${type} ${(data as { status: string }).status}`
        : type,
  );

/** The text that a viewer has at the end. */
function textOf(events: readonly NewEvent[]): string | undefined {
  return events.reduce((state, event) => reduceContent(state, event), initialContent('TEXT')).text;
}

describe('the events of a row', () => {
  test('the events begin with the start event, followed by the chunks that were added to the text', () => {
    const states = ['one', 'one two', 'one two three'].map((result, i) => row({ result, revision: i + 1 }));
    expect(short(publish(states).events)).toEqual(['agent_start', 'one', ' two', ' three']);
  });

  test('a string of a value that grows beyond the limit of an event leads to one warning, and the rest is published', () => {
    const states = [10_000, 20_000, 40_000, 50_000, 60_000].map((length, i) => {
      const result = { text: 'x'.repeat(length), step: i };
      return row({ mode: 'STRUCTURED', result, revision: i + 1 });
    });
    const { events } = publish(states);
    expect(events.filter(({ type }) => type === 'warning')).toMatchObject([
      { data: { code: 'EVENT_TOO_LARGE' } },
    ]);
    const { value } = events.reduce(
      (state, event) => reduceContent(state, event),
      initialContent('STRUCTURED'),
    );
    expect(value).toEqual({ text: 'x'.repeat(20_000), step: 4 });
  });

  test('the events have each change of the status, and the end last', () => {
    const end = { status: 'SUCCESS', result: 'xy', finishedAt: new Date(5) } as const;
    const states = [row({ status: 'PENDING' }), row(), row({ status: 'WAITING', result: 'x' }), row(end)];
    const { events } = publish(states);
    expect(short(events)).toEqual([
      'agent_start',
      'agent_status PENDING',
      'agent_status RUNNING',
      'agent_status WAITING',
      'x',
      'y',
      'complete',
    ]);
    expect(events.at(-1)?.data).toEqual({ status: 'SUCCESS', result: 'xy', durationMs: 5 });
  });

  test('the events of a workflow are its status and usage', () => {
    const usage = { inputTokens: 1, outputTokens: 2, totalTokens: 3 };
    const workflow = { kind: 'workflow', mode: 'STRUCTURED' } as const;
    const { events } = publish([row(workflow), row({ ...workflow, usage, result: { a: 1 } })]);
    expect(events.map(({ type, data }) => [type, data])).toEqual([
      ['workflow_start', { workflowId: 'a1', workflowType: 'a1', runId: 'a1' }],
      ['workflow_status', { status: 'RUNNING', usage }],
    ]);
  });

  test('the text restarts, after a warning and a reset, if it was rewritten', () => {
    const { events } = publish([row({ result: 'a first try' }), row({ result: 'another one' })]);
    expect(short(events)).toEqual(['agent_start', 'a first try', 'warning', 'reset', 'another one']);
  });

  test('the events of a value are patches, and the first one sets the complete value', () => {
    const structured = { mode: 'STRUCTURED' } as const;
    const values = [
      { a: 1, list: ['x'.repeat(200)] },
      { a: 2, list: ['x'.repeat(200)] },
    ];
    const { events } = publish(values.map((result) => row({ ...structured, result })));
    expect(events.slice(1).map(({ data }) => data)).toEqual([
      { patch: [{ op: 'replace', path: '', value: values[0] }] },
      { patch: [{ op: 'replace', path: '/a', value: 2 }] },
    ]);
  });

  test('half of a surrogate pair or CRLF is held back until the other half has arrived', () => {
    const { events } = publish([
      row({ result: 'a\ud83d' }),
      row({ result: 'a😀\r' }),
      row({ result: 'a😀\r\n' }),
    ]);
    expect(short(events)).toEqual(['agent_start', 'a', '😀', '\r\n']);
  });

  test('a long text is split into chunks within the limit', () => {
    const { events } = publish([row({ result: 'é'.repeat(100_000) })]);
    expect(events.length).toBe(8);
    expect(textOf(events)).toBe('é'.repeat(100_000));
  });

  test('the text remains if an execution fails without a result', () => {
    const states = [row({ result: 'half' }), row({ status: 'FAILED', finishedAt: new Date(0) })];
    expect(short(publish(states).events)).toEqual(['agent_start', 'half', 'error']);
  });

  test('the text and end are the same wherever one server stops and another continues from its progress', () => {
    const piece = fc.string({ unit: 'grapheme', maxLength: 8 });
    const change = fc.oneof(
      { weight: 5, arbitrary: fc.record({ add: piece }) },
      fc.record({ rewritten: piece }),
    );
    fc.assert(
      fc.property(
        fc.array(change, { maxLength: 12 }),
        fc.array(fc.nat(20), { maxLength: 4 }),
        (changes, cuts) => {
          let result = '';
          const states = changes.map((each, i) => {
            result = 'add' in each ? result + each.add : each.rewritten;
            return row({ result, revision: i + 1 });
          });
          states.push(row({ result, revision: 99, status: 'SUCCESS', finishedAt: new Date(0) }));
          const events: NewEvent[] = [];
          let progress: RowProgress | undefined;
          let rowEvents = createRowEvents(content, progress);
          let count = 0;
          for (let i = 0; i < states.length; ) {
            if (states[i]!.revision <= rowEvents.revision) {
              i += 1;
              continue;
            }
            const steps = rowEvents.eventsFor(states[i]!);
            // A server dies after any event; the next one reads the states after the revision of the last progress.
            const cut = steps.findIndex(() => cuts.includes(count++));
            for (const step of cut < 0 ? steps : steps.slice(0, cut + 1)) {
              events.push(step.event);
              progress = JSON.parse(JSON.stringify(step.progress)) as RowProgress;
            }
            if (cut >= 0) rowEvents = createRowEvents(content, progress);
            else i += 1;
          }
          expect(textOf(events)).toBe(result);
          expect(events.filter(({ type }) => type === 'agent_start')).toHaveLength(1);
          expect(events.at(-1)?.type).toBe('complete');
          expect(JSON.stringify(progress).length).toBeLessThan(1024);
        },
      ),
      { numRuns: 300 },
    );
  });
});
