// The fair queue: limits in total and per key, turns between keys, and what an abort does to waiting work.
import { describe, expect, test } from 'vitest';
import { FairQueue } from '../../src/async/fair-queue.ts';

/** Starts work under a key that ends when the test says so, and records the order of starts. */
function createWorkload(queue: FairQueue) {
  const started: string[] = [];
  const finish = new Map<string, () => void>();
  const add = (key: string, name: string, signal?: AbortSignal) =>
    queue.run(
      key,
      () => {
        started.push(name);
        return new Promise<void>((resolve) => finish.set(name, resolve));
      },
      signal,
    );
  const end = async (name: string) => {
    finish.get(name)!();
    await settled();
  };
  return { started, add, end };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('FairQueue', () => {
  test('runs at most perKey of one key and at most concurrency of all keys', async () => {
    const { started, add } = createWorkload(new FairQueue({ concurrency: 3, perKey: 2 }));
    for (const name of ['a1', 'a2', 'a3']) void add('a', name);
    for (const name of ['b1', 'b2']) void add('b', name);
    await settled();
    expect(started).toEqual(['a1', 'a2', 'b1']);
  });

  test('a new key waits for one turn of each key before it, not for their backlog', async () => {
    const { started, add, end } = createWorkload(new FairQueue({ concurrency: 2, perKey: 2 }));
    for (let i = 0; i < 1_000; i += 1) void add('a', `a${i}`);
    void add('b', 'b0');
    await end('a0');
    await end('a1');
    expect(started).toEqual(['a0', 'a1', 'a2', 'b0']);
  });

  test('keys with waiting work are served in turn', async () => {
    const { started, add, end } = createWorkload(new FairQueue({ concurrency: 1, perKey: 1 }));
    for (const name of ['a0', 'a1', 'a2', 'b0', 'b1', 'c0']) void add(name[0]!, name);
    for (const name of ['a0', 'a1', 'b0', 'c0', 'a2']) await end(name);
    expect(started).toEqual(['a0', 'a1', 'b0', 'c0', 'a2', 'b1']);
  });

  test('an abort removes waiting work and leaves running work alone', async () => {
    const queue = new FairQueue({ concurrency: 1, perKey: 1 });
    const { started, add, end } = createWorkload(queue);
    const gone = new AbortController();
    const running = add('a', 'a0', gone.signal);
    const waiting = add('a', 'a1', gone.signal);
    void add('a', 'a2');
    gone.abort(new Error('the client left'));
    await expect(waiting).rejects.toThrow('the client left');
    await end('a0');
    await running;
    expect(started).toEqual(['a0', 'a2']);
    await expect(add('a', 'a3', gone.signal)).rejects.toThrow('the client left');
    await end('a2');
    expect(queue.keys).toBe(0);
  });

  test('work that fails frees its slot, and an idle queue remembers no key', async () => {
    const queue = new FairQueue({ concurrency: 1, perKey: 1 });
    const failing = queue.run('a', () => Promise.reject(new Error('no')));
    const next = queue.run('a', async () => 'yes');
    await expect(failing).rejects.toThrow('no');
    expect(await next).toBe('yes');
    expect(queue.keys).toBe(0);
  });
});
