// A viewer as an async iterator, and the effects of closing it.
import { describe, expect, it } from 'vitest';
import { settled, setUp } from './harness.ts';

describe('a viewer as an iterator', () => {
  it('an iterator gives history, then live events, and is done after the terminal event', async () => {
    const { publisher, open, tails } = await setUp();
    await publisher.chunks(2);
    const types: string[] = [];
    for await (const event of await open()) {
      types.push(event.type);
      if (event.seq === 2) void publisher.chunks(1).then(() => publisher.complete());
    }
    expect(types).toEqual(['llm_chunk', 'llm_chunk', 'llm_chunk', 'complete']);
    expect(tails.size).toBe(0);
  });

  it('an iterator is closed by a break', async () => {
    const { log, publisher, open, tails } = await setUp();
    await publisher.chunks(5);
    const viewer = await open();
    for await (const event of viewer) if (event.seq === 3) break;
    await settled();
    expect([viewer.closed, viewer.position]).toEqual([true, `3-${publisher.epoch}`]);
    expect([log.listeners.size, tails.size]).toEqual([0, 0]);
  });

  it('an iterator is closed by an error in the loop', async () => {
    const { publisher, open, tails } = await setUp();
    await publisher.chunks(5);
    const viewer = await open();
    const loop = async () => {
      for await (const _ of viewer) throw new Error('in the loop');
    };
    await expect(loop()).rejects.toThrow('in the loop');
    expect([viewer.closed, tails.size]).toEqual([true, 0]);
  });

  it('an iterator is closed by `return` before the first event and while it waits for the next one', async () => {
    const { open, tails } = await setUp();
    const unstarted = (await open())[Symbol.asyncIterator]();
    await unstarted.return!();
    expect(tails.size).toBe(0);
    const waiting = (await open())[Symbol.asyncIterator]();
    const next = waiting.next();
    await settled();
    await waiting.return!();
    expect(await next).toEqual({ done: true, value: undefined });
    expect(tails.size).toBe(0);
  });
});

describe('a closed viewer', () => {
  it('a closed viewer takes nothing, keeps its position and wakes its waiter', async () => {
    const { publisher, open } = await setUp();
    await publisher.chunks(2);
    const viewer = await open();
    viewer.take();
    const other = await open({ after: { seq: 2, epoch: publisher.epoch } });
    const waiting = other.ready();
    other.close();
    await waiting;
    viewer.close();
    await viewer.ready();
    expect([viewer.take(), viewer.position]).toEqual([undefined, `1-${publisher.epoch}`]);
  });

  it('a closed viewer that waited for a page is not woken by it', async () => {
    const { log, publisher, open } = await setUp();
    await publisher.chunks(2_000);
    const viewer = await open();
    let release = () => {};
    log.afterRead = () => new Promise<void>((resolve) => (release = resolve));
    let woken = 0;
    viewer.take();
    viewer.waiter = {
      wake: () => {
        woken += 1;
      },
    };
    viewer.close();
    expect(woken).toBe(1);
    release();
    await settled();
    expect([woken, viewer.take()]).toEqual([1, undefined]);
  });
});
