// A viewer: when it has ended, when it is warned, and when it takes spans.
import { describe, expect, test, vi } from 'vitest';
import { DEFAULT_BOUNDS } from '../../src/log/log.ts';
import { LogOutages } from '../../src/tail/log-outages.ts';
import { Tail } from '../../src/tail/tail.ts';
import { Viewer } from '../../src/tail/viewer.ts';
import { SILENT } from '../support/silent.ts';
import { chunk, ID, patch, seqs, settled, setUp, TestLog, takeAll, warning } from './harness.ts';

describe('whether a viewer has ended', () => {
  test('a viewer has not ended while a warning is pending', async () => {
    const { publisher, open } = await setUp();
    await publisher.complete();
    const viewer = await open();
    await takeAll(viewer);
    expect(viewer.ended).toBe(true);
    viewer.warn('X', 'm');
    expect(viewer.ended).toBe(false);
    expect([viewer.take()?.type, viewer.ended]).toEqual(['warning', true]);
  });

  test('a viewer has not ended while its terminal event is ready and was not taken', async () => {
    const { publisher, open } = await setUp();
    const viewer = await open();
    expect(viewer.ended).toBe(false);
    await publisher.complete();
    await settled();
    await viewer.ready();
    expect(viewer.ended).toBe(false);
    expect([viewer.take()?.type, viewer.ended]).toEqual(['complete', true]);
  });

  test('a viewer whose cursor is lost has not ended, although it is above the end', async () => {
    const { publisher, open } = await setUp();
    const viewer = await open({ after: { seq: 9, epoch: 'anotherepoch' } });
    await publisher.complete();
    await settled();
    expect(viewer.ended).toBe(false);
    expect([seqs(await takeAll(viewer)), viewer.ended]).toEqual([[0, 1], true]);
  });
});

describe('warnings of a viewer', () => {
  test('a viewer that joins during an outage of the source is warned', async () => {
    const { publisher, open } = await setUp();
    await publisher.chunks(1);
    const { tail } = await open();
    tail.setActiveWarning({ code: 'X', message: 'm' });
    const viewer = await open();
    expect((await takeAll(viewer)).map(({ type }) => type)).toEqual(['warning', 'llm_chunk']);
  });

  test('a warning is taken before an event that is ready, and only once', async () => {
    const { publisher, open } = await setUp();
    await publisher.chunks(2);
    const viewer = await open();
    await viewer.ready();
    viewer.warn('X', 'first');
    viewer.warn('Y', 'second');
    const at = (seq: number) => `${seq}-${publisher.epoch}`;
    expect(viewer.take()).toMatchObject({
      type: 'warning',
      id: at(0),
      data: { code: 'Y', message: 'second' },
    });
    expect([viewer.take()?.id, viewer.take()?.id, viewer.take()]).toEqual([at(1), at(2), undefined]);
  });

  test('a warning wakes the waiter once, and `ready` resolves with one', async () => {
    const { open } = await setUp();
    const viewer = await open();
    const wake = vi.fn();
    viewer.waiter = { wake };
    viewer.warn('X', 'm');
    viewer.warn('X', 'm');
    expect([wake.mock.calls.length, viewer.waiter]).toEqual([1, undefined]);
    await viewer.ready();
    expect(viewer.take()?.type).toBe('warning');
  });

  test('a viewer without a cursor, or whose filter excludes warnings, is not warned', async () => {
    const tail = new Tail(ID, {
      log: new TestLog(),
      loadRow: async () => undefined,
      outages: new LogOutages(SILENT),
    });
    await tail.start();
    const unpositioned = new Viewer(tail, { permissionClass: 'all' }, () => {});
    unpositioned.warn('X', 'm');
    expect([unpositioned.position, unpositioned.take()]).toEqual([undefined, undefined]);
    const { open } = await setUp();
    const filtered = await open({ events: new Set(['llm_chunk']) });
    filtered.warn('X', 'm');
    expect(filtered.take()).toBeUndefined();
  });
});

describe('spans of a viewer', () => {
  test('a viewer with an event that is ready takes it before a span', async () => {
    const { publisher, open } = await setUp();
    await publisher.chunks(4);
    const viewer = await open();
    await viewer.ready();
    expect(viewer.takeSpan()).toBeUndefined();
    expect(viewer.take()?.seq).toBe(1);
    expect(seqs(viewer.takeSpan()!.events)).toEqual([2, 3, 4]);
    expect(viewer.position).toBe(`4-${publisher.epoch}`);
  });

  test('a viewer takes a pending warning before a span', async () => {
    const { publisher, open } = await setUp();
    await publisher.chunks(3);
    const viewer = await open();
    viewer.warn('X', 'm');
    expect([viewer.takeSpan(), viewer.take()?.type, viewer.takeSpan()?.events.length]).toEqual([
      undefined,
      'warning',
      3,
    ]);
  });

  test('a viewer takes a single event without a span', async () => {
    const { publisher, open } = await setUp();
    await publisher.chunks(1);
    const viewer = await open();
    expect([viewer.takeSpan(), viewer.take()?.seq]).toEqual([undefined, 1]);
  });

  test('a viewer whose patches are withheld takes no spans until it has a complete value', async () => {
    const { publisher, open } = await setUp({ bounds: { ...DEFAULT_BOUNDS, maxEvents: 10 } });
    await publisher.chunks(30, 30);
    const viewer = await open();
    const taken: string[] = [];
    while (!taken.includes('gap')) {
      const event = viewer.take();
      if (event) taken.push(event.type);
      else await settled();
    }
    expect(viewer.takeSpan()).toBeUndefined();
    await takeAll(viewer);
    await publisher.append(patch('/a'), chunk(), patch(''));
    await settled();
    expect([viewer.takeSpan(), viewer.take()?.type, viewer.take()?.type]).toEqual([
      undefined,
      'llm_chunk',
      'structured_delta',
    ]);
    await publisher.append(chunk(), patch('/b'), chunk());
    await settled();
    expect(viewer.takeSpan()?.events.length).toBe(3);
  });

  test('a closed viewer takes neither spans nor events, and is closed once', async () => {
    const { publisher, open } = await setUp();
    const { tail } = await open();
    await publisher.chunks(3);
    const onClose = vi.fn();
    const viewer = new Viewer(tail, { permissionClass: 'all' }, onClose);
    const wake = vi.fn();
    viewer.waiter = { wake };
    viewer.close();
    viewer.close();
    expect([viewer.takeSpan(), viewer.take(), viewer.closed]).toEqual([undefined, undefined, true]);
    expect([onClose.mock.calls.length, wake.mock.calls.length]).toEqual([1, 1]);
    viewer.waiter = { wake };
    await publisher.chunks(1);
    expect(wake).toHaveBeenCalledTimes(1);
    const peeked = await open();
    await peeked.ready();
    peeked.close();
    expect([peeked.takeSpan(), peeked.take()]).toEqual([undefined, undefined]);
  });
});

test('viewers with the same types have the same filter key, in any order', async () => {
  const { open } = await setUp();
  const keyOf = async (types?: readonly ('gap' | 'warning' | 'reset')[]) =>
    (await open(types && { events: new Set(types) })).filterKey;
  expect(await keyOf(['warning', 'gap'])).toBe(await keyOf(['gap', 'warning']));
  expect(new Set([await keyOf(), await keyOf(['gap']), await keyOf(['reset'])]).size).toBe(3);
});

test('a viewer that filters events out moves its position without them, and takes reset and gap', async () => {
  const { publisher, open } = await setUp();
  await publisher.append(chunk(), warning(), chunk());
  const viewer = await open({ events: new Set(['warning']), after: { seq: 0, epoch: 'anotherepoch' } });
  expect(viewer.position).toBe('0-anotherepoch');
  expect((await takeAll(viewer)).map(({ type }) => type)).toEqual(['reset', 'warning']);
  expect(viewer.position).toBe(`3-${publisher.epoch}`);
});
