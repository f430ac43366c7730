// One operation's results and frames, shared by the viewers of a tail.
import { describe, expect, test } from 'vitest';
import type { ExecutionEvent } from '../../src/event/events.ts';
import { frame } from '../../src/sse/frame.ts';
import { SSE_FORMAT } from '../../src/sse/stream-format.ts';
import type { Encoder, EventExecutor } from '../../src/stream/encoder.ts';
import { SharedEncoding } from '../../src/stream/shared-encoding.ts';
import { EventRing } from '../../src/tail/event-ring.ts';

const event = (seq: number) =>
  ({ seq, id: `${seq}-e`, type: 'llm_chunk', data: { content: 'x' } }) as ExecutionEvent;
const executor: EventExecutor = { result: ({ seq }) => ({ data: { seq } }), json: ({ seq }) => `${seq}` };
const encoder: Encoder = {
  name: 'test',
  format: SSE_FORMAT,
  next: (each, { json }) => frame(each.id, 'next', json(each)),
  complete: () => undefined,
};

/** A shared encoding of a ring that holds these events. */
function setUp(...held: ExecutionEvent[]) {
  const ring = new EventRing();
  for (const each of held) ring.push(each);
  const counter = { executions: 0 };
  return { ring, counter, encoding: new SharedEncoding({ ring }, executor, counter, 'staff') };
}

const text = ({ bytes }: { bytes: Uint8Array }) => Buffer.from(bytes).toString();

describe('a shared encoding', () => {
  test('a shared encoding executes once for the results of an event', () => {
    const one = event(1);
    const { encoding, counter } = setUp(one);
    const result = encoding.result(one);
    expect(result).toEqual({ data: { seq: 1 } });
    expect(encoding.result(one)).toBe(result);
    expect(counter.executions).toBe(1);
  });

  test('a shared encoding encodes an event of the ring once', () => {
    const one = event(1);
    const { encoding, counter } = setUp(one);
    expect(text(encoding.frame(one, encoder))).toBe('id: 1-e\nevent: next\ndata: 1\n\n');
    expect(encoding.frame(one, encoder)).toBe(encoding.frame(one, encoder));
    expect(counter.executions).toBe(1);
  });

  test('a shared encoding does not keep the frame of a synthetic event that repeats a cursor', () => {
    const [one, synthetic] = [event(1), event(1)];
    const { encoding, counter } = setUp(one);
    const frames = [encoding.frame(synthetic, encoder), encoding.frame(one, encoder)];
    expect(encoding.frame(synthetic, encoder)).not.toBe(frames[0]);
    expect(encoding.frame(one, encoder)).toBe(frames[1]);
    expect(counter.executions).toBe(3);
  });

  test('a shared encoding drops its frames when the ring is cleared for a single viewer, and not before', () => {
    const [one, two] = [event(1), event(2)];
    const { ring, encoding, counter } = setUp(one);
    const first = encoding.frame(one, encoder);
    encoding.frame(event(9), encoder);
    expect(encoding.frame(one, encoder)).toBe(first);
    ring.clear();
    encoding.frame(two, encoder);
    encoding.frame(one, encoder);
    expect(counter.executions).toBe(4);
  });

  test('a shared encoding encodes a span once, and its remainder from the same frames', () => {
    const events = [event(1), event(2), event(3)];
    const { encoding, counter } = setUp();
    const joined = encoding.span({ events, from: 0 }, encoder);
    expect(text(joined)).toBe(events.map((each) => text(encoder.next(each, executor))).join(''));
    expect(encoding.span({ events, from: 0 }, encoder)).toBe(joined);
    expect(text(encoding.span({ events, from: 2 }, encoder))).toBe('id: 3-e\nevent: next\ndata: 3\n\n');
    expect(counter.executions).toBe(3);
  });

  test('a shared encoding encodes only the events of a span that are needed', () => {
    const events = [event(1), event(2), event(3)];
    const { encoding, counter } = setUp();
    encoding.span({ events, from: 1 }, encoder);
    expect(counter.executions).toBe(2);
    const joined = encoding.span({ events, from: 0 }, encoder);
    expect([counter.executions, text(joined).split('next').length]).toEqual([3, 4]);
  });

  test('a shared encoding joins the same consecutive frames once', () => {
    const frames = [1, 2, 3].map((seq) => encoder.next(event(seq), executor));
    const { encoding } = setUp();
    const joined = encoding.join(frames);
    expect(text(joined)).toBe(frames.map(text).join(''));
    expect(encoding.join([...frames])).toBe(joined);
    expect(text(encoding.join(frames.slice(1)))).toBe(frames.slice(1).map(text).join(''));
    expect(text(encoding.join(frames.slice(1, 2)))).toBe(text(frames[1]!));
    encoding.join(frames);
    expect(text(encoding.join(frames.slice(0, 2)))).toBe(frames.slice(0, 2).map(text).join(''));
  });
});
