// The channel of one execution in one process: its listeners and their shared subscription.
import { SmallSet } from '../../async/small-set.ts';
import type { LogListener } from '../log.ts';
import { toAnnouncement } from './envelope.ts';
import type { PubSub } from './pubsub.ts';

type ChannelState =
  /** SUBSCRIBE was not acknowledged yet. A channel without listeners is closed only after that (invariant 2). */
  | { readonly name: 'subscribing' }
  | { readonly name: 'subscribed'; readonly subscription: number }
  /** It has failed, or its last listener has left. */
  | { readonly name: 'closed' };

export interface ChannelOptions {
  readonly name: string;
  readonly executionId: string;
  readonly pubsub: Pick<PubSub, 'subscribe' | 'unsubscribe'>;
  /** Called when the channel is closed: the next listener needs another one. */
  readonly onClose: () => void;
}

export class Channel {
  /** Settles when SUBSCRIBE was acknowledged, or has failed. */
  readonly subscribed: Promise<void>;
  readonly #options: ChannelOptions;
  readonly #listeners = new SmallSet<LogListener>();
  #state: ChannelState = { name: 'subscribing' };

  /** Subscribes for a first listener. */
  constructor(options: ChannelOptions, listener: LogListener) {
    this.#options = options;
    this.#listeners.add(listener);
    this.subscribed = this.#subscribe();
  }

  add(listener: LogListener): void {
    this.#listeners.add(listener);
  }

  /** Removes a listener, and unsubscribes if it was the last one. */
  remove(listener: LogListener): void {
    if (this.#listeners.delete(listener) && this.#listeners.size === 0) this.#unsubscribe();
  }

  removeAll(): void {
    this.#listeners.clear();
  }

  /** Announcements may have been missed. */
  interrupt(): void {
    for (const listener of [...this.#listeners]) listener.onInterruption();
  }

  async #subscribe(): Promise<void> {
    const { name, pubsub } = this.#options;
    let subscription: number;
    try {
      subscription = await pubsub.subscribe(name, (payload) => this.#receive(payload));
    } catch (error) {
      this.#close();
      throw error;
    }
    this.#state = { name: 'subscribed', subscription };
    if (this.#listeners.size === 0) this.#unsubscribe();
  }

  #receive(payload: unknown): void {
    const announcement = toAnnouncement(payload, this.#options.executionId);
    this.#listeners.forEach((listener) => {
      if (announcement) listener.onAnnouncement(announcement);
      else listener.onInterruption();
    });
  }

  #unsubscribe(): void {
    if (this.#state.name !== 'subscribed') return;
    this.#options.pubsub.unsubscribe(this.#state.subscription);
    this.#close();
  }

  #close(): void {
    this.#state = { name: 'closed' };
    this.#options.onClose();
  }
}
