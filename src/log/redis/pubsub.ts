// graphql-redis-subscriptions on top of a Subscriber, without the library's error paths: it would leave the promise of a
// failed SUBSCRIBE or UNSUBSCRIBE unhandled, and an unhandled rejection ends the process. Failures are reported to the
// library as acknowledgements, and from here to the caller.
import { RedisPubSub } from 'graphql-redis-subscriptions';
import type { Redis } from 'ioredis';
import type { Subscriber } from '../../redis/subscriber.ts';

type OnMessage = (channel: string, payload: string) => void;

export class PubSub {
  readonly #library: RedisPubSub;
  /** Why SUBSCRIBE failed, by channel, until `subscribe` takes it. */
  readonly #failures = new Map<string, unknown>();
  #onMessage: OnMessage = () => {};

  constructor(subscriber: Pick<Subscriber, 'subscribe' | 'unsubscribe'>) {
    const client = {
      on: (event: string, listener: OnMessage) => {
        if (event === 'message') this.#onMessage = listener;
      },
      subscribe: (channel: string, acknowledge: () => void) => {
        subscriber
          .subscribe(channel)
          .catch((error) => this.#failures.set(channel, error))
          .then(() => acknowledge());
      },
      unsubscribe: (channel: string) => subscriber.unsubscribe(channel),
      // The library calls it with each `unsubscribe`; patterns are not used here.
      punsubscribe: () => {},
    } as unknown as Redis;
    this.#library = new RedisPubSub({ subscriber: client, publisher: client });
  }

  /** Passes on a message that the subscriber has received. */
  deliver(channel: string, payload: string): void {
    this.#onMessage(channel, payload);
  }

  /**
   * Resolves with the subscription when Redis has acknowledged it.
   * @param onPayload receives each payload parsed, or as text if it is not valid JSON
   * @throws what the subscriber rejected with; the subscription is undone then
   */
  async subscribe(channel: string, onPayload: (payload: unknown) => void): Promise<number> {
    const subscription = await this.#library.subscribe(channel, onPayload);
    const failure = this.#failures.get(channel);
    this.#failures.delete(channel);
    if (failure === undefined) return subscription;
    this.#library.unsubscribe(subscription);
    throw failure;
  }

  unsubscribe(subscription: number): void {
    this.#library.unsubscribe(subscription);
  }
}
