// A body that a library writes, relayed as an event stream.
import { expect, test, vi } from 'vitest';
import { RelayedBody } from '../../src/sse/relayed-body.ts';
import { settled } from '../support/app.ts';

const text = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString();

/** A relayed body whose pieces a test writes. */
function relay() {
  let controller!: ReadableStreamDefaultController<Uint8Array>;
  let pulls = 0;
  const cancel = vi.fn();
  const body = new ReadableStream<Uint8Array>(
    {
      start: (started) => {
        controller = started;
      },
      pull: () => {
        pulls += 1;
      },
      cancel,
    },
    { highWaterMark: 0 },
  );
  const hooks = { onTaken: vi.fn(), onClosed: vi.fn() };
  const source = new RelayedBody(body, hooks);
  const write = (piece: string) => controller.enqueue(Buffer.from(piece));
  return { source, hooks, write, cancel, controller, pulls: () => pulls };
}

test('a relayed body reads a single piece ahead, and reports each that is taken', async () => {
  const { source, hooks, write, pulls } = relay();
  await settled();
  expect([source.take(), pulls()]).toEqual([undefined, 1]);
  write('one');
  await settled();
  expect([pulls(), hooks.onTaken.mock.calls.length]).toEqual([1, 0]);
  const frame = source.take()!;
  expect([text(frame.bytes), text(frame.chunk), frame.length]).toEqual(['one', '3\r\none\r\n', 3]);
  expect(text(hooks.onTaken.mock.calls[0]![0])).toBe('one');
  await settled();
  expect([pulls(), source.take()]).toEqual([2, undefined]);
  source.close();
});

test('a relayed body wakes its waiter once for each piece, and when it ends', async () => {
  const { source, write, controller } = relay();
  const wake = vi.fn();
  source.waiter = { wake };
  write('one');
  await settled();
  expect([wake.mock.calls.length, source.waiter, source.ended]).toEqual([1, undefined, false]);
  source.take();
  source.waiter = { wake };
  controller.close();
  await settled();
  expect([wake.mock.calls.length, source.ended, source.take()]).toEqual([2, true, undefined]);
});

test.each([new Error('broken'), undefined])(
  'a relayed body that fails with %s throws when it is taken',
  async (error) => {
    const { source, controller } = relay();
    const wake = vi.fn();
    source.waiter = { wake };
    controller.error(error);
    await settled();
    expect([source.ended, wake.mock.calls.length]).toEqual([false, 1]);
    expect(() => source.take()).toThrow(error?.message ?? 'the body failed');
  },
);

test('a relayed body that is closed cancels its reader, and reports that', async () => {
  const { source, hooks, cancel } = relay();
  source.close();
  await settled();
  expect([cancel.mock.calls.length, hooks.onClosed.mock.calls.length]).toEqual([1, 1]);
});
