// Listening to appended events: one subscription for each channel and process, through graphql-redis-subscriptions.
// A Subscriber (redis/subscriber.ts, in a cluster redis/cluster/sharded-subscriber.ts) keeps it across reconnections.
//
// Invariants
// 1. A channel has one subscription for all of its listeners, and none without listeners.
// 2. A subscription is not undone before it was acknowledged: the library would forget it, and Redis would not
//    (https://github.com/davidyaha/graphql-redis-subscriptions/issues/598). An UNSUBSCRIBE and a later SUBSCRIBE are
//    sent on one connection, so Redis runs them in that order.
// 3. `listen` resolves after the acknowledgement and, while the connection resubscribes, after that of the
//    resubscription.
// 4. Whenever announcements may have been missed, every listener is notified: after each resubscription, and on a
//    payload that is not an announcement.
import type { Connection } from '../../redis/connection.ts';
import type { LogListener, Unlisten } from '../log.ts';
import { Channel } from './channel.ts';
import { PubSub } from './pubsub.ts';

export interface Announcements {
  /** Resolves when the listener is certain to receive every append to the execution from now on. */
  listen(channel: string, executionId: string, listener: LogListener): Promise<Unlisten>;
  /** Rejects with `SOURCE_UNAVAILABLE` if the connection does not respond, or may not subscribe. */
  check(channel: string): Promise<void>;
  close(): Promise<void>;
}

export interface AnnouncementOptions {
  /**
   * How often the subscribing connections are checked, in ms: one may have died silently.
   * @default 5000
   */
  readonly checkIntervalMs?: number;
}

const DEFAULT_CHECK_INTERVAL_MS = 5_000;

/** Listens on separate connections, as a connection that subscribes can do nothing else. */
export function createAnnouncements(
  connection: Pick<Connection, 'newSubscriber'>,
  { checkIntervalMs = DEFAULT_CHECK_INTERVAL_MS }: AnnouncementOptions,
): Announcements {
  const channels = new Map<string, Channel>();
  const subscriber = connection.newSubscriber({
    onMessage: (channel, payload) => pubsub.deliver(channel, payload),
    onInterruption: (names) => {
      for (const name of names) channels.get(name)?.interrupt();
    },
  });
  const pubsub = new PubSub(subscriber);
  const checks = setInterval(() => subscriber.checkConnections(), checkIntervalMs);
  checks.unref();

  function openChannel(name: string, executionId: string, listener: LogListener): Channel {
    const onClose = () => {
      if (channels.get(name) === channel) channels.delete(name);
    };
    const channel = new Channel({ name, executionId, pubsub, onClose }, listener);
    channels.set(name, channel);
    return channel;
  }

  return {
    async listen(name, executionId, listener) {
      const existing = channels.get(name);
      existing?.add(listener);
      const channel = existing ?? openChannel(name, executionId, listener);
      try {
        await channel.subscribed;
        // The connection of an existing channel may be reconnecting just now.
        if (existing) await subscriber.ready(name);
      } catch (error) {
        channel.remove(listener);
        throw error;
      }
      return async () => channel.remove(listener);
    },
    check: (channel) => subscriber.check(channel),
    async close() {
      clearInterval(checks);
      for (const channel of channels.values()) channel.removeAll();
      channels.clear();
      await subscriber.close();
    },
  };
}
