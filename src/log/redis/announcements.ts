// Hearing what is appended: one Redis subscription for each channel and process, through graphql-redis-subscriptions.
// How Redis is subscribed to is a subscriber's: subscriber.ts, or shards.ts in a cluster.
//
// Invariants
// 1. One channel, one subscription in the library, however many listeners; none without listeners. A subscription is
//    not taken back before it was acknowledged: the library would forget it, and Redis would not
//    (graphql-redis-subscriptions#598).
//    An unsubscription and a new subscription travel on one connection, so Redis sees them in the order in which they
//    were sent.
// 2. `listen` resolves after the acknowledgement, and while the connection is resubscribing, after that of it.
// 3. Whenever announcements may have been missed, listeners are told, and never guess: after each resubscription,
//    and on a payload that is no announcement.
import { RedisPubSub } from 'graphql-redis-subscriptions';
import type { Redis } from 'ioredis';
import { SmallSet } from '../../async/small-set.ts';
import type { Connection } from '../../redis/connection.ts';
import type { Announcement, LogListener, Unlisten } from '../log.ts';
import { toEvent } from './read-page.ts';

export interface Announcements {
  /** Resolves when the listener is certain to hear of every append to the execution from now on. */
  listen(channel: string, executionId: string, listener: LogListener): Promise<Unlisten>;
  /** Rejects with `SOURCE_UNAVAILABLE` where the connection does not answer. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

interface Channel {
  readonly name: string;
  readonly executionId: string;
  readonly listeners: SmallSet<LogListener>;
  /** The library's subscription; undefined before the acknowledgement. */
  subscription: number | undefined;
  acknowledged: Promise<void>;
}

export interface ListenOptions {
  /** How often the subscriber's connections are looked at, for one that died silently; default 5 s. */
  readonly lookEveryMs?: number;
}

const DEFAULT_LOOK_EVERY_MS = 5_000;

/** Makes the source, with connections of its own beside the one given: one that subscribes can do nothing else. */
export function createAnnouncements(connection: Connection, options: ListenOptions): Announcements {
  const channels = new Map<string, Channel>();
  /** Channels whose SUBSCRIBE failed, and why. */
  const failures = new Map<string, unknown>();
  /** What the library wants to be told of each message. */
  let onMessage: (channel: string, payload: string) => void = () => {};
  const subscriber = connection.newSubscriber({
    onMessage: (channel, payload) => onMessage(channel, payload),
    onInterruption: (names) => {
      for (const name of names) {
        for (const listener of [...(channels.get(name)?.listeners ?? [])]) listener.onInterruption();
      }
    },
  });
  const pubsub = new RedisPubSub(libraryClient());
  const look = setInterval(() => subscriber.checkConnections(), options.lookEveryMs ?? DEFAULT_LOOK_EVERY_MS);
  look.unref();

  /**
   * The client as the library sees it, without its error paths: a failed SUBSCRIBE would reject a promise that
   * nobody holds, and a failed UNSUBSCRIBE too, and an unhandled rejection ends the process. So a failure is told to
   * the library as an acknowledgement, and kept here for `subscribe`, which takes the subscription back.
   */
  function libraryClient(): { subscriber: Redis; publisher: Redis } {
    const client = {
      on: (event: string, heard: typeof onMessage) => {
        if (event === 'message') onMessage = heard;
      },
      subscribe: (channel: string, acknowledge: () => void) => {
        subscriber
          .subscribe(channel)
          .catch((error) => failures.set(channel, error))
          .then(() => acknowledge());
      },
      unsubscribe: (channel: string) => subscriber.unsubscribe(channel),
      // The library sends this along with each UNSUBSCRIBE; patterns are not used here.
      punsubscribe: () => {},
    } as unknown as Redis;
    return { subscriber: client, publisher: client };
  }

  async function subscribe(channel: Channel): Promise<void> {
    const { name, listeners } = channel;
    channel.subscription = await pubsub.subscribe(name, (payload) => hear(channel, payload));
    const failure = failures.get(name);
    failures.delete(name);
    if (failure !== undefined || listeners.size === 0) release(channel);
    if (failure !== undefined) throw failure;
  }

  function release(channel: Channel): void {
    pubsub.unsubscribe(channel.subscription!);
    channels.delete(channel.name);
  }

  /** A payload arrives parsed, or as the text that it was where it is not JSON. */
  function hear({ executionId, listeners }: Channel, payload: unknown): void {
    const announcement = toAnnouncement(payload, executionId);
    listeners.forEach((listener) => {
      if (announcement) listener.onAnnouncement(announcement);
      else listener.onInterruption();
    });
  }

  async function listen(name: string, executionId: string, listener: LogListener): Promise<Unlisten> {
    let channel = channels.get(name);
    const isFirst = channel === undefined;
    if (!channel) {
      channel = {
        name,
        executionId,
        listeners: new SmallSet(),
        subscription: undefined,
        acknowledged: Promise.resolve(),
      };
      channels.set(name, channel);
      channel.listeners.add(listener);
      channel.acknowledged = subscribe(channel);
    }
    const { listeners, acknowledged } = channel;
    const joined = channel;
    listeners.add(listener);
    const unlisten = async () => {
      if (!listeners.delete(listener) || listeners.size > 0) return;
      // While the acknowledgement is awaited, `subscribe` releases it.
      if (joined.subscription !== undefined && channels.get(name) === joined) release(joined);
    };
    try {
      await acknowledged;
      // The channel may be an old one, and its connection be coming back just now.
      if (!isFirst) await subscriber.ready(name);
    } catch (error) {
      await unlisten();
      throw error;
    }
    return unlisten;
  }

  async function close(): Promise<void> {
    clearInterval(look);
    for (const { listeners } of channels.values()) listeners.clear();
    channels.clear();
    await subscriber.close();
  }

  return { listen, ping: () => subscriber.ping(), close };
}

function toAnnouncement(payload: unknown, executionId: string): Announcement | undefined {
  const { epoch, events: envelopes } = (payload ?? {}) as { epoch?: unknown; events?: unknown };
  if (typeof epoch !== 'string' || !Array.isArray(envelopes)) return undefined;
  const events = [];
  for (const envelope of envelopes) {
    const event = toEvent(envelope, executionId);
    if (!event) return undefined;
    events.push(event);
  }
  return { epoch, events };
}
