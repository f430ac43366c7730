// The events between two states of a row.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { NewEvent } from '../../src/event/events.ts';
import type { Execution } from '../../src/execution/store.ts';
import { createRowEvents, type RowProgress } from '../../src/source/row-diff.ts';
import { content } from '../support/content.ts';

function row(change: Partial<Execution> = {}): Execution {
  const startedAt = new Date(0);
  const base = { id: 'a1', kind: 'agent', status: 'RUNNING', mode: 'TEXT', attempt: 1, revision: 1 } as const;
  return { ...base, startedAt, ...change };
}

/** Tells one state after the other; answers the events, and the last note. */
function tell(
  states: readonly Execution[],
  told?: RowProgress,
): { events: NewEvent[]; told: RowProgress | undefined } {
  const teller = createRowEvents(content, told);
  const steps = states.flatMap((state) => teller.tell(state));
  return { events: steps.map(({ event }) => event), told: steps.at(-1)?.told };
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
function textOf(events: readonly NewEvent[]): string {
  let text = '';
  for (const event of events) {
    if (event.type === 'reset') text = '';
    if (event.type === 'llm_chunk') text += event.data.content;
  }
  return text;
}

describe('the events of a row', () => {
  test('begin with its start, and tell what is added to its text', () => {
    const states = ['one', 'one two', 'one two three'].map((result, i) => row({ result, revision: i + 1 }));
    expect(short(tell(states).events)).toEqual(['agent_start', 'one', ' two', ' three']);
  });

  test('tell its status where that changes, and its end last', () => {
    const end = { status: 'SUCCESS', result: 'xy', finishedAt: new Date(5) } as const;
    const states = [row({ status: 'PENDING' }), row(), row({ status: 'WAITING', result: 'x' }), row(end)];
    const { events } = tell(states);
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

  test('of a workflow are its status and what it used', () => {
    const usage = { inputTokens: 1, outputTokens: 2, totalTokens: 3 };
    const workflow = { kind: 'workflow', mode: 'STRUCTURED' } as const;
    const { events } = tell([row(workflow), row({ ...workflow, usage, result: { a: 1 } })]);
    expect(events.map(({ type, data }) => [type, data])).toEqual([
      ['workflow_start', { workflowId: 'a1', workflowType: 'a1', runId: 'a1' }],
      ['workflow_status', { status: 'RUNNING', usage }],
    ]);
  });

  test('begin anew, behind a warning and a reset, where the text was written anew', () => {
    const { events } = tell([row({ result: 'a first try' }), row({ result: 'another one' })]);
    expect(short(events)).toEqual(['agent_start', 'a first try', 'warning', 'reset', 'another one']);
  });

  test('tell a value by patches, the first one whole', () => {
    const structured = { mode: 'STRUCTURED' } as const;
    const values = [
      { a: 1, list: ['x'.repeat(200)] },
      { a: 2, list: ['x'.repeat(200)] },
    ];
    const { events } = tell(values.map((result) => row({ ...structured, result })));
    expect(events.slice(1).map(({ data }) => data)).toEqual([
      { patch: [{ op: 'replace', path: '', value: values[0] }] },
      { patch: [{ op: 'replace', path: '/a', value: 2 }] },
    ]);
  });

  test('hold back half of a pair until the other half is there', () => {
    const { events } = tell([
      row({ result: 'a\ud83d' }),
      row({ result: 'a😀\r' }),
      row({ result: 'a😀\r\n' }),
    ]);
    expect(short(events)).toEqual(['agent_start', 'a', '😀', '\r\n']);
  });

  test('fit: a long text goes in pieces', () => {
    const { events } = tell([row({ result: 'é'.repeat(100_000) })]);
    expect(events.length).toBe(5);
    expect(textOf(events)).toBe('é'.repeat(100_000));
  });

  test('leave out what an engine wrote in another shape', () => {
    const odd = { usage: { tokens: 1 }, error: 'it broke' } as unknown as Partial<Execution>;
    const { events } = tell([row({ ...odd, status: 'FAILED', finishedAt: new Date(0) })]);
    expect(events.at(-1)?.data).toEqual({ status: 'FAILED', message: 'it broke', durationMs: 0 });
  });

  test('take nothing back where an execution fails without a result', () => {
    const states = [row({ result: 'half' }), row({ status: 'FAILED', finishedAt: new Date(0) })];
    expect(short(tell(states).events)).toEqual(['agent_start', 'half', 'error']);
  });

  test('are the same text and end wherever one relay stops and the next goes on from its note', () => {
    const piece = fc.string({ unit: 'grapheme', maxLength: 8 });
    const change = fc.oneof({ weight: 5, arbitrary: fc.record({ add: piece }) }, fc.record({ anew: piece }));
    fc.assert(
      fc.property(
        fc.array(change, { maxLength: 12 }),
        fc.array(fc.nat(20), { maxLength: 4 }),
        (changes, cuts) => {
          let result = '';
          const states = changes.map((each, i) => {
            result = 'add' in each ? result + each.add : each.anew;
            return row({ result, revision: i + 1 });
          });
          states.push(row({ result, revision: 99, status: 'SUCCESS', finishedAt: new Date(0) }));
          const events: NewEvent[] = [];
          let told: RowProgress | undefined;
          let teller = createRowEvents(content, told);
          let count = 0;
          for (let i = 0; i < states.length; ) {
            if (states[i]!.revision <= teller.revision) {
              i += 1;
              continue;
            }
            const steps = teller.tell(states[i]!);
            // A relay dies behind any event; the next one reads the states after the note's revision.
            const cut = steps.findIndex(() => cuts.includes(count++));
            for (const step of cut < 0 ? steps : steps.slice(0, cut + 1)) {
              events.push(step.event);
              told = JSON.parse(JSON.stringify(step.told)) as RowProgress;
            }
            if (cut >= 0) teller = createRowEvents(content, told);
            else i += 1;
          }
          expect(textOf(events)).toBe(result);
          expect(events.filter(({ type }) => type === 'agent_start')).toHaveLength(1);
          expect(events.at(-1)?.type).toBe('complete');
          expect(JSON.stringify(told).length).toBeLessThan(1024);
        },
      ),
      { numRuns: 300 },
    );
  });
});
