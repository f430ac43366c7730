// The invariants of listening (src/log/redis/announcements.ts), on a subscriber that replies as a test wants.
import { expect, test, vi } from 'vitest';
import { createAnnouncements } from '../../src/log/redis/announcements.ts';
import type { Subscriber, SubscriberEvents } from '../../src/redis/subscriber.ts';
import { chunk, recorder, seqs } from './recorder.ts';

interface Deferred {
  readonly promise: Promise<void>;
  resolve(): void;
  reject(error: Error): void;
}

function defer(): Deferred {
  let settle!: Pick<Deferred, 'resolve' | 'reject'>;
  const promise = new Promise<void>((resolve, reject) => {
    settle = { resolve, reject };
  });
  return { promise, ...settle };
}

/** Records what reaches Redis; SUBSCRIBE and `ready` settle when the test makes them. */
class FakeSubscriber implements Subscriber {
  readonly sent: string[] = [];
  readonly acknowledgements: Deferred[] = [];
  readonly events: SubscriberEvents;
  readonly checkConnections = vi.fn();
  readied = defer();

  constructor(events: SubscriberEvents) {
    this.events = events;
    this.readied.resolve();
  }

  subscribe(channel: string): Promise<void> {
    this.sent.push(`SUBSCRIBE ${channel}`);
    const acknowledgement = defer();
    this.acknowledgements.push(acknowledgement);
    return acknowledgement.promise;
  }

  unsubscribe(channel: string): void {
    this.sent.push(`UNSUBSCRIBE ${channel}`);
  }

  ready(): Promise<void> {
    return this.readied.promise;
  }

  async check(): Promise<void> {}
  async close(): Promise<void> {}
}

function start(checkIntervalMs?: number) {
  let subscriber!: FakeSubscriber;
  const newSubscriber = (events: SubscriberEvents) => {
    subscriber = new FakeSubscriber(events);
    return subscriber;
  };
  const announcements = createAnnouncements({ newSubscriber }, { checkIntervalMs });
  const listen = (listener = recorder()) => announcements.listen('c', 'e1', listener);
  return { announcements, subscriber, listen };
}

/** Lets everything that does not wait for a timer or for Redis run. */
const settled = () => new Promise(setImmediate);

function payload(...seqs: number[]): string {
  const events = seqs.map((seq) => ({ id: `${seq}-epoch0000000`, seq, ...chunk('x'), attempt: 1 }));
  return JSON.stringify({ epoch: 'epoch0000000', events });
}

test('listeners of a channel share one subscription, which ends with the last of them', async () => {
  const { subscriber, listen } = start();
  const heard = [recorder(), recorder()];
  const listening = heard.map(listen);
  subscriber.acknowledgements[0]!.resolve();
  const [leave, leaveToo] = await Promise.all(listening);
  subscriber.events.onMessage('c', payload(1, 2));
  expect(heard.map(({ events }) => seqs(events))).toEqual([
    [1, 2],
    [1, 2],
  ]);
  await leave!();
  await leave!();
  expect(subscriber.sent).toEqual(['SUBSCRIBE c']);
  await leaveToo!();
  expect(subscriber.sent).toEqual(['SUBSCRIBE c', 'UNSUBSCRIBE c']);
});

test('the next listener after the last one has left subscribes again', async () => {
  const { subscriber, listen } = start();
  const first = listen();
  subscriber.acknowledgements[0]!.resolve();
  await (await first)();
  const second = listen();
  subscriber.acknowledgements[1]!.resolve();
  await second;
  expect(subscriber.sent).toEqual(['SUBSCRIBE c', 'UNSUBSCRIBE c', 'SUBSCRIBE c']);
});

test('a listener whose wait for the connection fails while the others remain keeps their subscription', async () => {
  const { subscriber, listen } = start();
  const kept = recorder();
  const first = listen(kept);
  subscriber.acknowledgements[0]!.resolve();
  await first;
  subscriber.readied = defer();
  const joined = recorder();
  const joining = listen(joined);
  subscriber.readied.reject(new Error('not ready'));
  await expect(joining).rejects.toThrow('not ready');
  subscriber.events.onMessage('c', payload(1));
  expect([seqs(kept.events), seqs(joined.events)]).toEqual([[1], []]);
  expect(subscriber.sent).toEqual(['SUBSCRIBE c']);
});

test('a listener that joins waits for the acknowledgement and for the connection', async () => {
  const { subscriber, listen } = start();
  subscriber.readied = defer();
  const resolved: number[] = [];
  void listen().then(() => resolved.push(1));
  void listen().then(() => resolved.push(2));
  await settled();
  expect(resolved).toEqual([]);
  subscriber.acknowledgements[0]!.resolve();
  await settled();
  expect(resolved).toEqual([1]);
  subscriber.readied.resolve();
  await settled();
  expect(resolved).toEqual([1, 2]);
});

test('a subscription that fails rejects all who wait for it, and leaves nothing', async () => {
  const { subscriber, listen } = start();
  const listening = Promise.allSettled([listen(), listen()]);
  const reason = new Error('refused');
  subscriber.acknowledgements[0]!.reject(reason);
  expect(await listening).toEqual([
    { status: 'rejected', reason },
    { status: 'rejected', reason },
  ]);
  const heard = recorder();
  const again = listen(heard);
  subscriber.acknowledgements[1]!.resolve();
  await again;
  subscriber.events.onMessage('c', payload(1));
  expect(seqs(heard.events)).toEqual([1]);
});

test('a subscription is not undone before it was acknowledged', async () => {
  const { announcements, subscriber, listen } = start();
  const heard = recorder();
  // The only way to leave before the acknowledgement: everything is closed.
  const listening = listen(heard);
  await announcements.close();
  expect(subscriber.sent).toEqual(['SUBSCRIBE c']);
  subscriber.acknowledgements[0]!.resolve();
  await listening;
  expect(subscriber.sent).toEqual(['SUBSCRIBE c', 'UNSUBSCRIBE c']);
});

test('every listener is notified of an interruption and of a payload that is not an announcement', async () => {
  const { subscriber, listen } = start();
  const heard = [recorder(), recorder()];
  const listening = heard.map(listen);
  subscriber.acknowledgements[0]!.resolve();
  await Promise.all(listening);
  subscriber.events.onInterruption(['c', 'unknown']);
  const broken = ['not json', '42', 'null', '{"events":[]}', '{"epoch":"e","events":[{"seq":1}]}'];
  for (const text of broken) subscriber.events.onMessage('c', text);
  expect(heard.map(({ interruptions }) => interruptions)).toEqual([6, 6]);
  expect(heard.map(({ events }) => events)).toEqual([[], []]);
});

test('a listener that another one removes while both are notified of an event is not notified', async () => {
  const { subscriber, listen } = start();
  const second = recorder();
  let leaveSecond = async () => {};
  const first = listen({ ...recorder(), onAnnouncement: () => void leaveSecond() } as never);
  const listening = listen(second);
  subscriber.acknowledgements[0]!.resolve();
  await first;
  leaveSecond = await listening;
  subscriber.events.onMessage('c', payload(1));
  expect(second.events).toEqual([]);
});

test('connections are checked in the given interval until the end', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  try {
    const { announcements, subscriber } = start(100);
    vi.advanceTimersByTime(350);
    expect(subscriber.checkConnections).toHaveBeenCalledTimes(3);
    await announcements.close();
    vi.advanceTimersByTime(1_000);
    expect(subscriber.checkConnections).toHaveBeenCalledTimes(3);
  } finally {
    vi.useRealTimers();
  }
});
