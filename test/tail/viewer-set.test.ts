// The viewers of one execution: when one is alone, and how often a source is polled for them.
import { describe, expect, test, vi } from 'vitest';
import { KEPT_WHILE_ALONE, type TailViewer, ViewerSet } from '../../src/tail/viewer-set.ts';

const viewer = (pollMs?: number): TailViewer => ({ pollMs, wake: vi.fn(), warn: vi.fn() });

describe('a viewer', () => {
  test('is alone after more events than are kept for a second one that joins soon', () => {
    const viewers = new ViewerSet();
    viewers.countEvents(100);
    expect(viewers.isAlone).toBe(false);
    viewers.add(viewer());
    expect(viewers.isAlone).toBe(false);
    viewers.countEvents(KEPT_WHILE_ALONE - 1);
    viewers.countEvents(1);
    expect(viewers.isAlone).toBe(false);
    viewers.countEvents(1);
    expect(viewers.isAlone).toBe(true);
  });

  test('is not alone while there is another one, and events count from the last one that joined', () => {
    const viewers = new ViewerSet();
    viewers.add(viewer());
    viewers.countEvents(100);
    const second = viewer();
    viewers.add(second);
    viewers.countEvents(KEPT_WHILE_ALONE);
    expect(viewers.isAlone).toBe(false);
    viewers.delete(second);
    expect(viewers.isAlone).toBe(false);
    viewers.countEvents(1);
    expect(viewers.isAlone).toBe(true);
  });
});

test('a source is polled every 500 ms, or at the shortest interval that a viewer requested', () => {
  const viewers = new ViewerSet();
  expect(viewers.pollMs).toBe(500);
  viewers.add(viewer());
  expect(viewers.pollMs).toBe(500);
  viewers.add(viewer(2_000));
  expect(viewers.pollMs).toBe(500);
  const impatient = viewer(100);
  viewers.add(impatient);
  expect(viewers.pollMs).toBe(100);
  viewers.delete(impatient);
  expect(viewers.pollMs).toBe(500);
});

test('a source of viewers that all requested longer intervals is polled at the shortest of them', () => {
  const viewers = new ViewerSet();
  viewers.add(viewer(2_000));
  viewers.add(viewer(1_000));
  expect(viewers.pollMs).toBe(1_000);
});

test('all viewers are warned and woken', () => {
  const viewers = new ViewerSet();
  const both = [viewer(), viewer()];
  for (const each of both) viewers.add(each);
  viewers.warn('SOURCE_UNAVAILABLE', 'm');
  viewers.wake();
  for (const { warn, wake } of both) {
    expect(warn).toHaveBeenCalledExactlyOnceWith('SOURCE_UNAVAILABLE', 'm');
    expect(wake).toHaveBeenCalledTimes(1);
  }
});
