// Copying numbered events into a log: confirmed events, and when the log starts a new epoch.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createMemoryLog } from '../../../src/log/memory.ts';
import type { WorkflowEvent } from '../../../src/temporal/shared/stream-query.ts';
import { formatCopyNote, parseCopyNote } from '../../../src/temporal/source/copy-note.ts';
import { createFixedCopy } from '../../../src/temporal/source/fixed-copy.ts';
import { decideOpen, type Incarnation } from '../../../src/temporal/source/open-decision.ts';

const RUN: Incarnation = { epoch: 'r1', runId: 'r1', runStartedAt: 10, attempt: 1 };
const NOTE = { epoch: 'r1', runId: 'r1', runStartedAt: 10, confirmed: 4, inserted: 0, base: 2 };

const FROM_START = { lost: undefined, confirmed: 0, inserted: 0 };
const VOID = { epoch: 'e1', reason: 'source' } as const;

function event(seq: number, step = `${seq}`): WorkflowEvent {
  return { seq, type: 'workflow_status', ts: '2026-01-01T00:00:00.000Z', data: { status: 'RUNNING', step } };
}

describe('the note of a copy', () => {
  test('is read as it was written', () => {
    expect(parseCopyNote(formatCopyNote(NOTE))).toEqual(NOTE);
  });

  test('of an earlier version that did not know the workflow yet counts as one of a history', () => {
    const note = parseCopyNote('{"epoch":"r1","runId":"r1","runStartedAt":10,"confirmed":1,"isGuess":true}');
    expect(note).toEqual({ ...NOTE, epoch: 'history:r1', confirmed: 1, base: 0 });
  });

  test('may be that of a sink, which has confirmed nothing', () => {
    const note = parseCopyNote('{"epoch":"r1","runId":"r1","runStartedAt":10}');
    expect(note).toEqual({ ...NOTE, confirmed: 0, base: 0 });
    expect(parseCopyNote('{"revision":3}')).toBeUndefined();
  });
});

describe('opening a log for a run', () => {
  const note = formatCopyNote(NOTE);
  const head = { numbering: 'fixed', end: 0, epoch: 'e1', head: 4, attempt: 1, note } as const;

  test('starts one that does not exist', () => {
    expect(decideOpen(undefined, RUN)).toEqual(FROM_START);
  });

  test('continues one with the same numbering after the confirmed events', () => {
    expect(decideOpen(head, RUN)).toEqual({ lost: undefined, confirmed: 4, inserted: 0 });
  });

  test('confirms nothing of one without a note', () => {
    const { note: _, ...bare } = head;
    expect(decideOpen(bare, RUN)).toEqual(FROM_START);
  });

  test('starts a new epoch for another numbering', () => {
    const other = { ...RUN, epoch: 'r2', runId: 'r2', runStartedAt: 20 };
    const lost = (reason: string) => ({ ...FROM_START, lost: { epoch: 'e1', reason } });
    expect(decideOpen(head, other)).toEqual(lost('run'));
    expect(decideOpen(head, { ...other, attempt: 2 })).toEqual(lost('attempt'));
    expect(decideOpen(head, { ...RUN, epoch: 'r2' })).toEqual(lost('source'));
  });

  test('continues the start of a history with the numbering of the workflow', () => {
    const started = { ...head, head: 1, note: formatCopyNote({ ...NOTE, epoch: 'history:r1', base: 0 }) };
    expect(decideOpen(started, RUN)).toEqual(FROM_START);
    // The workflow has another start, or the history has gone on.
    for (const [log, voided] of [
      [started, VOID],
      [{ ...started, head: 2 }, undefined],
    ] as const) {
      const decision = decideOpen(log, RUN, voided);
      expect(decision).toEqual({ ...FROM_START, lost: VOID });
    }
  });

  test('leaves a log that the workflow itself has continued', () => {
    expect(decideOpen(head, { ...RUN, epoch: 'history:r1' })).toBe('streams');
    expect(decideOpen(head, { ...RUN, epoch: 'history:r1' }, VOID)).toBe('streams');
  });

  test('starts a new epoch if the source contradicts the log, unless that has happened already', () => {
    expect(decideOpen(head, RUN, VOID)).toEqual({ ...FROM_START, lost: VOID });
    const former = { ...VOID, epoch: 'e0' };
    expect(decideOpen(head, RUN, former)).toEqual({ lost: undefined, confirmed: 4, inserted: 0 });
  });

  test('leaves the log of a later run, of a publisher, and one that has ended', () => {
    expect(decideOpen(head, { ...RUN, epoch: 'r0', runStartedAt: 5 })).toBe('superseded');
    expect(decideOpen({ ...head, numbering: 'auto' }, RUN)).toBe('published');
    expect(decideOpen({ ...head, end: 9 }, RUN)).toBe('ended');
  });
});

describe('a copy', () => {
  let log: ReturnType<typeof createMemoryLog>;
  beforeEach(() => {
    log = createMemoryLog();
  });
  afterEach(() => log.close());

  const steps = async () =>
    ((await log.read('w', 0, 100))?.events ?? []).map(({ data }) => (data as { step: string }).step);

  test('appends what follows the confirmed events, once', async () => {
    const copy = createFixedCopy({ log, executionId: 'w', fence: 1 });
    expect([copy.epoch, copy.confirmed, copy.sent]).toEqual(['', 0, 0]);
    expect(await copy.enter(RUN)).toBe('done');
    expect(await copy.append([event(1), event(2)])).toBe('done');
    expect(await copy.append([event(2), event(3)])).toBe('done');
    expect([copy.confirmed, copy.sent]).toEqual([3, 3]);
    expect(await steps()).toEqual(['1', '2', '3']);
  });

  test('leaves the log of another row alone, and notes its own row in a new one', async () => {
    const first = createFixedCopy({ log, executionId: 'w', fence: 1, incarnation: 'first' });
    await first.enter(RUN);
    expect((await log.head('w'))?.incarnation).toBe('first');
    const second = createFixedCopy({ log, executionId: 'w', fence: 2, incarnation: 'second' });
    expect(await second.enter(RUN)).toBe('superseded');
    expect((await log.head('w'))?.epoch).toBe(first.epoch);
  });

  test('continues where an earlier watcher stopped', async () => {
    const first = createFixedCopy({ log, executionId: 'w', fence: 1 });
    await first.enter(RUN);
    await first.append([event(1), event(2)]);
    const second = createFixedCopy({ log, executionId: 'w', fence: 2 });
    await second.enter(RUN);
    expect([second.epoch, second.confirmed]).toEqual([first.epoch, 2]);
    expect(await first.append([event(3)])).toBe('fenced');
  });

  test('compares the events of a sink before it confirms them', async () => {
    const copy = createFixedCopy({ log, executionId: 'w', fence: 1 });
    await copy.enter(RUN);
    await log.append('w', { epoch: copy.epoch, acknowledged: 0, events: [event(1), event(2)] });
    expect(copy.confirmed).toBe(0);
    expect(await copy.append([event(1)])).toBe('done');
    expect(copy.confirmed).toBe(1);
    const { epoch } = copy;
    expect(await copy.append([event(2, 'other')])).toBe('retry');
    expect(copy.epoch).not.toBe(epoch);
    expect(copy.confirmed).toBe(0);
    expect(await copy.append([event(1), event(2, 'other')])).toBe('done');
    expect(await steps()).toEqual(['1', 'other']);
  });

  test('accepts an event of the log whose fields are in another order, however deep', async () => {
    const call = (seq: number, data: object) =>
      ({ ...event(seq), type: 'tool_call', data }) as unknown as ReturnType<typeof event>;
    const args = { b: [{ d: 1, c: 2 }], a: 1 };
    const copy = createFixedCopy({ log, executionId: 'w', fence: 1 });
    await copy.enter(RUN);
    const { epoch } = copy;
    const stored = call(1, { toolCallId: 't', toolName: 'n', status: 'started', args });
    await log.append('w', { epoch, acknowledged: 0, events: [stored] });
    const reordered = {
      args: { a: 1, b: [{ c: 2, d: 1 }] },
      status: 'started',
      toolName: 'n',
      toolCallId: 't',
    };
    expect(await copy.append([call(1, reordered), event(2)])).toBe('done');
    expect([copy.epoch, copy.confirmed]).toEqual([epoch, 2]);
    const events = (await log.read('w', 0, 9))!.events;
    expect(JSON.stringify(events[0]!.data)).toBe(JSON.stringify(stored.data));
  });

  /** A log that a sink wrote has `stored`, and the source reports `reported`. Whether the log keeps its epoch. */
  async function keepsEpoch(stored: object, reported: object): Promise<boolean> {
    const copy = createFixedCopy({ log, executionId: 'w', fence: Date.now() });
    await copy.enter(RUN);
    const { epoch } = copy;
    const events = [{ ...event(1), ...stored } as ReturnType<typeof event>];
    await log.append('w', { epoch, acknowledged: 0, events });
    const outcome = await copy.append([{ ...event(1), ...reported } as ReturnType<typeof event>, event(2)]);
    const first = (await log.read('w', 0, 1))?.events[0];
    await log.close();
    log = createMemoryLog();
    if (outcome !== 'done') return false;
    expect(first).toMatchObject(JSON.parse(JSON.stringify(stored)));
    return copy.epoch === epoch;
  }

  test('keeps an event of the log that differs only by what a size limit omits', async () => {
    const call = (data: object) => ({
      type: 'tool_call',
      data: { toolCallId: 't', toolName: 'n', status: 'succeeded', ...data },
    });
    const full = call({ args: { a: 1 }, result: 'x' });
    const noResult = call({ args: { a: 1 }, resultOmitted: true, resultBytes: 3 });
    const bare = call({ argsOmitted: true, argsBytes: 7, resultOmitted: true, resultBytes: 3 });
    const warning = (type: string) => ({
      type: 'warning',
      data: { code: 'EVENT_TOO_LARGE', message: `an event of type ${type} was left out` },
    });
    for (const [stored, reported] of [
      [full, noResult],
      [noResult, full],
      [bare, full],
      [noResult, bare],
      [warning('tool_call'), full],
      [full, warning('tool_call')],
    ] as const) {
      expect(await keepsEpoch(stored, reported)).toBe(true);
    }
    // Anything else that differs is a contradiction.
    expect(await keepsEpoch(call({ args: { a: 2 }, result: 'x' }), noResult)).toBe(false);
    expect(await keepsEpoch(call({ result: 'x', error: 'e' }), call({ resultOmitted: true }))).toBe(false);
    expect(await keepsEpoch(warning('agent_start'), full)).toBe(false);
  });

  test('starts a new epoch if a field differs, or the type', async () => {
    for (const other of [event(2, 'other'), { ...event(2), type: 'task_status' } as never]) {
      const copy = createFixedCopy({ log, executionId: 'w', fence: Date.now() });
      await copy.enter(RUN);
      const { epoch } = copy;
      await log.append('w', { epoch, acknowledged: 0, events: [event(1), event(2)] });
      expect(await copy.append([event(1), other])).toBe('retry');
      expect(copy.epoch).not.toBe(epoch);
      await log.close();
      log = createMemoryLog();
    }
  });

  test.each([
    ['without versions', 'history:r1'],
    ['of another version', ['history:r1', 1]],
  ])('compares a log that a mapping %s numbered from its start', async (_, epoch) => {
    const history = { ...RUN, epoch: 'history:r1' };
    const before = { epoch, runId: 'r1', runStartedAt: 10, confirmed: 2, base: 0 };
    const opened = await log.open('w', { numbering: 'fixed', attempt: 1, fence: 1 });
    const { head } = opened as Extract<typeof opened, { outcome: 'opened' }>;
    const events = [event(1), event(2)];
    await log.append('w', { epoch: head.epoch, acknowledged: 0, events, note: JSON.stringify(before) });
    const copy = createFixedCopy({ log, executionId: 'w', fence: 2 });
    await copy.enter(history);
    expect([copy.epoch, copy.confirmed]).toEqual([head.epoch, 0]);
    // Equal events are confirmed, and a later watcher of this version continues after them.
    expect(await copy.append([event(1), event(2), event(3)])).toBe('done');
    const later = createFixedCopy({ log, executionId: 'w', fence: 3 });
    await later.enter(history);
    expect([later.epoch, later.confirmed]).toEqual([head.epoch, 3]);
  });

  test('starts one new epoch for a log that another mapping numbered differently', async () => {
    const history = { ...RUN, epoch: 'history:r1' };
    const before = { epoch: 'history:r1', runId: 'r1', runStartedAt: 10, confirmed: 2, base: 0 };
    const opened = await log.open('w', { numbering: 'fixed', attempt: 1, fence: 1 });
    const { epoch } = (opened as Extract<typeof opened, { outcome: 'opened' }>).head;
    const events = [event(1), event(2)];
    await log.append('w', { epoch, acknowledged: 0, events, note: JSON.stringify(before) });
    const copy = createFixedCopy({ log, executionId: 'w', fence: 2 });
    await copy.enter(history);
    const mapped = [event(1), event(2, 'new'), event(3)];
    expect(await copy.append(mapped)).toBe('retry');
    expect(await copy.append(mapped)).toBe('done');
    expect(copy.epoch).not.toBe(epoch);
    expect((await log.head('w'))?.resetReason).toBe('source');
    expect(await steps()).toEqual(['1', 'new', '3']);
  });

  test('copies the events again that a log has lost', async () => {
    const copy = createFixedCopy({ log, executionId: 'w', fence: 1 });
    await copy.enter(RUN);
    await copy.append([event(1), event(2)]);
    // As after a failover of Redis: the log's last events are gone.
    const lossy = { ...log, append: async () => ({ outcome: 'gap' as const, head: 1 }) };
    const other = createFixedCopy({ log: lossy, executionId: 'w', fence: 2 });
    await other.enter(RUN);
    expect(await other.append([event(3)])).toBe('retry');
    expect(other.confirmed).toBe(1);
  });

  test('starts a new epoch for a retried run, and keeps the epoch through continue-as-new', async () => {
    const copy = createFixedCopy({ log, executionId: 'w', fence: 1 });
    await copy.enter(RUN);
    await copy.append([event(1)]);
    const { epoch } = copy;
    expect(await copy.enter({ ...RUN, runId: 'r2', runStartedAt: 20 })).toBe('done');
    expect([copy.epoch, copy.confirmed]).toEqual([epoch, 1]);
    expect(await copy.enter({ ...RUN, epoch: 'r3', runId: 'r3', runStartedAt: 30, attempt: 2 })).toBe('done');
    expect(copy.epoch).not.toBe(epoch);
    expect(copy.confirmed).toBe(0);
  });
});

describe('inserted events', () => {
  const HISTORY: Incarnation = { ...RUN, epoch: 'history:r1' };
  let log: ReturnType<typeof createMemoryLog>;
  beforeEach(() => {
    log = createMemoryLog();
  });
  afterEach(() => log.close());

  const inserted = (step: string) => {
    const { seq: _, ...rest } = event(0, step);
    return rest;
  };
  const lines = async () =>
    (await log.read('w', 0, 100))!.events.map(({ seq, data }) => `${seq} ${(data as { step: string }).step}`);

  async function openCopy(fence: number, from: typeof log = log) {
    const copy = createFixedCopy({ log: from, executionId: 'w', fence });
    expect(await copy.enter(HISTORY)).toBe('done');
    return copy;
  }

  test('are stored between the events of the source, whose positions do not change', async () => {
    const copy = await openCopy(1);
    await copy.append([event(1), event(2)]);
    expect(await copy.insert([inserted('a'), inserted('b')])).toBe('done');
    expect([copy.confirmed, copy.inserted, copy.sent]).toEqual([2, 2, 4]);
    expect(await copy.append([event(2), event(3)])).toBe('done');
    expect(await copy.insert([inserted('c')])).toBe('done');
    expect(await lines()).toEqual(['1 1', '2 2', '3 a', '4 b', '5 3', '6 c']);
  });

  test('are neither repeated nor overwritten by the watcher of another server', async () => {
    const first = await openCopy(1);
    await first.append([event(1)]);
    await first.insert([inserted('a')]);
    const second = await openCopy(2);
    expect([second.epoch, second.confirmed, second.inserted]).toEqual([first.epoch, 1, 1]);
    expect(await second.append([event(1), event(2)])).toBe('done');
    expect(await second.insert([inserted('b')])).toBe('done');
    expect(await first.insert([inserted('late')])).toBe('fenced');
    expect(await lines()).toEqual(['1 1', '2 a', '3 2', '4 b']);
  });

  test('stay in the log when the numbering continues with another run', async () => {
    const copy = await openCopy(1);
    await copy.append([event(1)]);
    await copy.insert([inserted('a')]);
    expect(await copy.enter({ ...HISTORY, runId: 'r2', runStartedAt: 20, base: 1 })).toBe('done');
    await copy.append([event(2)]);
    expect(await lines()).toEqual(['1 1', '2 a', '3 2']);
    expect(parseCopyNote((await log.head('w'))?.note)).toMatchObject({ confirmed: 2, inserted: 1, base: 1 });
  });

  test('are inserted in batches of the size that a log accepts', async () => {
    const copy = await openCopy(1);
    await copy.append([event(1)]);
    const many = Array.from({ length: 1_200 }, (_, i) => inserted(`${i}`));
    expect(await copy.insert(many)).toBe('done');
    expect([copy.inserted, copy.head]).toEqual([1_200, 1_201]);
  });

  test('that the log has lost start a new epoch, because no source reports them again', async () => {
    const first = await openCopy(1);
    await first.append([event(1)]);
    const before = (await log.head('w'))!;
    await first.insert([inserted('a')]);
    const lossy = { ...log };
    const second = await openCopy(2, lossy);
    expect(second.inserted).toBe(1);
    // As after a failover of Redis: the log is that of a moment ago.
    const append = log.append;
    lossy.head = async (id) => ({ ...(await log.head(id))!, note: before.note!, head: 1 });
    lossy.append = async (id, request) =>
      request.epoch === before.epoch ? { outcome: 'gap', head: 1 } : append(id, request);
    expect(await second.append([event(2)])).toBe('retry');
    expect(second.epoch).not.toBe(before.epoch);
    expect([second.confirmed, second.inserted]).toEqual([0, 0]);
    expect((await log.head('w'))?.resetReason).toBe('log_lost');
    expect(await second.append([event(1), event(2)])).toBe('done');
    expect(await lines()).toEqual(['1 1', '2 2']);
  });

  test('do not matter if the log has lost only events of the source after them', async () => {
    const first = await openCopy(1);
    await first.append([event(1)]);
    await first.insert([inserted('a')]);
    const before = (await log.head('w'))!;
    await first.append([event(2)]);
    const lossy: typeof log = { ...log, append: async () => ({ outcome: 'gap', head: 2 }) };
    const second = await openCopy(2, lossy);
    lossy.head = async () => before;
    expect(await second.append([event(3)])).toBe('retry');
    expect([second.epoch, second.confirmed, second.inserted]).toEqual([first.epoch, 1, 1]);
  });
});
