// How executions are shown: the lines of events, the progress, and a terminal whose text grows above it.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { finalContent, textChange } from '../../src/cli/view/content.ts';
import { eventLine } from '../../src/cli/view/event-line.ts';
import { formatDuration, formatShortTime } from '../../src/cli/view/format.ts';
import { createJsonView } from '../../src/cli/view/json-view.ts';
import { createListView, formatRows } from '../../src/cli/view/list-view.ts';
import { createPlainView } from '../../src/cli/view/plain-view.ts';
import { progressLine } from '../../src/cli/view/progress.ts';
import { createScreen } from '../../src/cli/view/screen.ts';
import { createStyle, PLAIN } from '../../src/cli/view/style.ts';
import { formatTable } from '../../src/cli/view/table.ts';
import { sanitize, truncateToWidth, widthOf, wrapRows } from '../../src/cli/view/text-width.ts';
import type { LinkStatus } from '../../src/cli/view/view.ts';
import type { EventData, EventType, ExecutionEvent } from '../../src/event/events.ts';
import { initialState } from '../../src/event/state.ts';

function event<T extends EventType>(type: T, data: EventData[T]): ExecutionEvent {
  const position = {
    id: '1-k3f9ab01zz',
    seq: 1,
    ts: '2026-01-02T03:04:05.678Z',
    executionId: 'a1',
    attempt: 1,
  };
  return { ...position, type, data } as unknown as ExecutionEvent;
}

const line = (each: ExecutionEvent) => eventLine(each, 'agent', PLAIN)?.replace(/^\d\d:\d\d:\d\d /, '');

describe('the line of an event', () => {
  test.each<[string | undefined, ExecutionEvent]>([
    [undefined, event('llm_chunk', { content: 'x' })],
    [undefined, event('structured_delta', { patch: [] })],
    ['agent_start poet write', event('agent_start', { agentId: 'poet', action: 'write' })],
    ['agent_status WAITING', event('agent_status', { status: 'WAITING' })],
    [
      'task_status charge RUNNING attempt 2 {"done":3}',
      event('task_status', { status: 'RUNNING', taskId: 'charge', taskAttempt: 2, progress: { done: 3 } }),
    ],
    [
      'tool_call search failed in 1.5 s no network',
      event('tool_call', {
        ...{ toolCallId: 't', toolName: 'search', status: 'failed' },
        ...{ durationMs: 1_500, error: 'no network' },
      }),
    ],
    ['custom step {"a":1}', event('custom', { name: 'step', value: { a: 1 } })],
    ['warning NOTE two lines', event('warning', { code: 'NOTE', message: 'two\nlines' })],
    ['reset attempt', event('reset', { reason: 'attempt' })],
    ['gap 3 events no longer available, from 2 to 4', event('gap', { fromSeq: 2, toSeq: 4 })],
    [
      'error FAILED LUCK out of luck in 7 ms',
      event('error', { status: 'FAILED', code: 'LUCK', message: 'out of luck', durationMs: 7 }),
    ],
    [
      'complete SUCCESS in 7 ms 12 tokens',
      event('complete', {
        ...{ status: 'SUCCESS', durationMs: 7, result: { a: 1 } },
        usage: { inputTokens: 2, outputTokens: 10, totalTokens: 12 },
      }),
    ],
  ])('%s', (expected, each) => {
    expect(line(each)).toBe(expected);
  });

  test('controls of the terminal are replaced', () => {
    expect(line(event('warning', { code: 'A\x1b[2J', message: '\x07\u202e' }))).toBe(
      'warning A\ufffd[2J \ufffd\ufffd',
    );
    expect(sanitize('a\r\nb\tc\x1b]0;title\x07')).toBe('a\nb    c\ufffd]0;title\ufffd');
  });

  test('colours are used in terminals that have them only', () => {
    const terminal = { isTTY: true, hasColors: () => true };
    const reset = event('reset', { reason: 'run' });
    expect(eventLine(reset, 'agent', createStyle(terminal))).toContain('\x1b[33mreset\x1b[39m run');
    for (const style of [
      createStyle(terminal, false),
      createStyle({ isTTY: true, hasColors: () => false }),
      createStyle({}),
    ]) {
      expect(eventLine(reset, 'agent', style)).not.toContain('\x1b');
    }
  });
});

describe('the content', () => {
  const state = initialState('agent');

  test('a text that a gap restores is continued if it was complete before, and otherwise starts over', () => {
    const gap = event('gap', { fromSeq: 1, toSeq: 2, text: 'one two' });
    const after = { ...state, text: 'one two' };
    expect(textChange(gap, { ...state, text: 'one ' }, after)).toEqual({ text: 'two', isRestart: false });
    const partial = { ...state, text: 'one ', completeness: 'partial' } as const;
    expect(textChange(gap, partial, after)).toEqual({ text: 'one two', isRestart: true });
    expect(textChange(gap, after, after)).toBeUndefined();
  });

  test('the end shows a value, or a result that was not streamed', () => {
    expect(finalContent({ ...state, text: 'a' }, 'a')).toBeUndefined();
    expect(finalContent(state, 'a')).toBe('a');
    expect(finalContent({ ...state, value: { a: 1 } }, undefined)).toEqual({ a: 1 });
    expect(finalContent({ ...state, value: { a: 1 }, completeness: 'partial' }, { a: 2 })).toEqual({ a: 2 });
    expect(finalContent(initialState('workflow'), { a: 1 })).toBeUndefined();
  });
});

describe('widths', () => {
  test.each([
    ['abc', 3],
    ['日本', 4],
    ['é', 1],
    ['👩‍👩‍👧', 2],
    ['❤️', 2],
    ['\x1b[31mred\x1b[39m', 3],
  ])('%s takes %d columns', (text, width) => {
    expect(widthOf(text)).toBe(width);
  });

  test('text is cut with an ellipsis', () => {
    expect(truncateToWidth('abcdef', 6)).toBe('abcdef');
    expect(truncateToWidth('abcdef', 4)).toBe('abc…');
    expect(truncateToWidth('日本語', 5)).toBe('日本…');
  });

  test('lines wrap at spaces, and words that are too long within', () => {
    expect(wrapRows('one two three', 8)).toEqual(['one two', 'three']);
    expect(wrapRows('one two', 3)).toEqual(['one', 'two']);
    expect(wrapRows('abcdefgh', 3)).toEqual(['abc', 'def', 'gh']);
    expect(wrapRows('', 3)).toEqual(['']);
  });

  test('rows fit, and contain every word', () => {
    const words = fc.array(fc.stringMatching(/^[a-z日😀]{1,12}$/u), { maxLength: 12 });
    fc.assert(
      fc.property(words, fc.integer({ min: 4, max: 30 }), (list, columns) => {
        const rows = wrapRows(list.join(' '), columns);
        for (const row of rows) expect(widthOf(row)).toBeLessThanOrEqual(columns);
        expect(rows.join('').replaceAll(' ', '')).toBe(list.join(''));
      }),
    );
  });
});

/** A terminal that understands the sequences in use, with unlimited rows. */
function createTerminal() {
  const rows = [''];
  let y = 0;
  let x = 0;
  return {
    write(output: string) {
      for (const [token] of output.matchAll(/\p{Cc}\[\??\d*[a-zA-Z]|[\s\S]/gu)) {
        if (token === '\n') {
          y += 1;
          x = 0;
          rows[y] ??= '';
        } else if (token === '\r') x = 0;
        else if (token === '\x1b[1A') y -= 1;
        else if (token === '\x1b[J') {
          rows[y] = rows[y]!.slice(0, x);
          rows.length = y + 1;
        } else if (!token.startsWith('\x1b')) {
          rows[y] = rows[y]!.slice(0, x) + token + rows[y]!.slice(x + token.length);
          x += token.length;
        }
      }
    },
    get text() {
      return rows.join('\n');
    },
  };
}

describe('a pipe', () => {
  const stream = () => {
    const written: string[] = [];
    return { written, write: (text: string) => written.push(text) > 0, once: () => {} };
  };

  test('an interruption is two lines, and a connection that is replaced at its first attempt none', () => {
    const [out, err] = [stream(), stream()];
    const view = createPlainView({ kind: 'agent', out, err, style: PLAIN });
    const links: LinkStatus[] = [
      { status: 'connecting' },
      { status: 'lost', reason: 'status 503' },
      { status: 'connecting' },
      { status: 'live' },
      { status: 'lost' },
      { status: 'connecting' },
      { status: 'live' },
      { status: 'lost' },
      { status: 'lost', reason: 'connection refused' },
      { status: 'connecting' },
      { status: 'lost', reason: 'connection refused' },
      { status: 'live' },
    ];
    for (const link of links) view.link(link);
    expect(err.written).toEqual([
      'not connected (status 503); trying again\n',
      'connected\n',
      'connection lost (connection refused); trying again\n',
      'reconnected\n',
    ]);
    expect(out.written).toEqual([]);
  });

  test('an event is shown when the reader has taken the ones before', async () => {
    let drain = () => {};
    const out = { write: () => false, once: (_: 'drain', listener: () => void) => (drain = listener) };
    const view = createJsonView(out, stream());
    let isShown = false;
    const state = initialState('agent');
    const shown = view.event(event('reset', { reason: 'run' }), state, state).then(() => {
      isShown = true;
    });
    await new Promise(setImmediate);
    expect(isShown).toBe(false);
    drain();
    await shown;
  });
});

describe('a screen', () => {
  test('the progress stays below the text, and disappears at the end', () => {
    const terminal = createTerminal();
    const screen = createScreen(terminal.write, () => 20);
    screen.progress('0 s');
    screen.flush();
    expect(terminal.text).toBe('0 s');
    screen.text('Roses are ');
    screen.flush();
    expect(terminal.text).toBe('Roses are \n0 s');
    screen.text('red,\nviolets');
    screen.progress('1 s');
    screen.flush();
    expect(terminal.text).toBe('Roses are red,\nviolets\n1 s');
    screen.lines('tool_call');
    screen.text('blue');
    screen.flush();
    expect(terminal.text).toBe('Roses are red,\nviolets\ntool_call\nblue\n1 s');
    screen.close();
    expect(terminal.text).toBe('Roses are red,\nviolets\ntool_call\nblue\n');
  });

  test('text is complete and in order, however it arrives and whatever the width is', () => {
    const chunk = fc.stringMatching(/^[a-z \n]{0,15}$/);
    fc.assert(
      fc.property(fc.array(chunk, { maxLength: 20 }), fc.integer({ min: 10, max: 40 }), (list, columns) => {
        const terminal = createTerminal();
        const screen = createScreen(terminal.write, () => columns);
        for (const [i, each] of list.entries()) {
          screen.text(each);
          screen.progress(`progress ${i}`.slice(0, columns));
          if (i % 2 === 0) screen.flush();
        }
        screen.close();
        expect(terminal.text.replace(/\s/g, '')).toBe(list.join('').replace(/\s/g, ''));
        for (const row of terminal.text.split('\n')) expect(row.length).toBeLessThanOrEqual(columns);
      }),
    );
  });

  test('nothing is written if nothing has changed', () => {
    const written: string[] = [];
    const screen = createScreen(
      (output) => void written.push(output),
      () => undefined,
    );
    screen.progress('a');
    screen.flush();
    screen.progress('a');
    screen.flush();
    expect(written).toHaveLength(1);
  });
});

describe('the progress', () => {
  const live = { status: 'live' } as const;
  const state = {
    ...initialState('agent'),
    ...({ status: 'RUNNING', step: 'write', text: 'x'.repeat(1_234), cursor: '9-k3f9ab01zz' } as const),
    toolCalls: [{ id: 't', name: 'search', status: 'started' as const }],
  };

  test('shows status, step, open tool calls and sizes, within the width', () => {
    expect(progressLine({ state, link: live, elapsedMs: 12_345 }, 80, PLAIN)).toBe(
      '● RUNNING · write · calling search · 1,234 characters · 12.0 s',
    );
    expect(widthOf(progressLine({ state, link: live, elapsedMs: 0 }, 20, PLAIN))).toBeLessThan(20);
  });

  test.each([
    [{ status: 'connecting' }, '… reconnecting'],
    [{ status: 'lost' }, '… connection lost; trying again'],
    [
      { status: 'lost', reason: 'connection refused' },
      '… connection lost (connection refused); trying again',
    ],
  ] as const)('shows that the connection is %o', (link, expected) => {
    expect(progressLine({ state, link, elapsedMs: 0 }, 80, PLAIN)).toBe(expected);
  });

  test('shows that no event has arrived', () => {
    const progress = { state: initialState('agent'), elapsedMs: 0 };
    expect(progressLine({ ...progress, link: { status: 'connecting' } }, 80, PLAIN)).toBe('… connecting');
    expect(progressLine({ ...progress, link: live }, 80, PLAIN)).toBe('… waiting for the first event');
  });
});

describe('tables and lists', () => {
  test('columns are aligned, and those that may shrink are cut to the width', () => {
    const rows = [
      ['ID', 'N'],
      ['a-very-long-identifier', '1'],
    ];
    expect(formatTable(rows)).toBe('ID                      N\na-very-long-identifier  1\n');
    expect(formatTable(rows, { columns: 15, shrinking: [0] })).toBe('ID            N\na-very-long…  1\n');
  });

  const execution = {
    ...({ id: 'a1', kind: 'agent', status: 'SUCCESS', name: null, attempt: 1, parentId: null } as const),
    startedAt: '2026-01-02T03:04:05.000Z',
    finishedAt: '2026-01-02T03:04:15.200Z',
  };
  const format = { color: true };

  test('a list is a table, or lines of JSON', () => {
    const output = { write: () => true };
    expect(formatRows([execution], output, format)).toMatch(
      /^ID +KIND +STATUS +NAME +ATTEMPT +STARTED +DURATION\na1 +agent +SUCCESS +1 +2026-01-0\d \d\d:\d\d:\d\d +10\.2 s\n$/,
    );
    expect(JSON.parse(formatRows([execution], output, { ...format, json: true }))).toEqual(execution);
    expect(formatRows([], output, format)).toBe('');
  });

  test('a terminal shows the time of executions of today, and the date of older ones', () => {
    const now = new Date(2026, 0, 2, 12);
    expect(formatShortTime(new Date(2026, 0, 2, 3, 4, 5).toISOString(), now)).toBe('03:04:05');
    expect(formatShortTime(new Date(2026, 0, 1, 3, 4, 5).toISOString(), now)).toBe('2026-01-01');
    const terminal = { write: () => true, isTTY: true, columns: 60 };
    for (const row of formatRows([execution], terminal, format).trimEnd().split('\n')) {
      expect(widthOf(row)).toBeLessThanOrEqual(60);
    }
  });

  test('a watched list in a pipe has a line for each change', () => {
    let written = '';
    const view = createListView({ write: (text: string) => (written += text) }, format);
    view.show([execution], undefined);
    view.show([execution], undefined);
    const other = { ...execution, id: 'a2', status: 'FAILED' as const };
    view.show([other, execution], undefined);
    view.close();
    expect(written.split('\n').map((each) => each.split(/ +/)[0])).toEqual(['ID', 'a1', 'a2', '']);
  });

  test.each([
    [19.4, '19 ms'],
    [10_230, '10.2 s'],
    [59_999, '1 min 0 s'],
    [192_000, '3 min 12 s'],
    [7_500_000, '2 h 5 min'],
  ])('%d ms are shown as %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });
});
