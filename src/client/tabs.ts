// The package entry `execstream/client/tabs`: the tabs of an origin follow an execution over one connection, because a
// browser opens up to six connections to a server over HTTP/1.1.
//
// The tab that holds a lock (Web Locks) has the connection, and sends its state and then each event to the others
// (BroadcastChannel). It releases the lock when its connection breaks or it is closed; then another tab connects, after
// the last event that it received. Messages of one tab arrive in order, so a tab that has its state misses no event.
import { type ExecutionEvent, isTerminal } from '../event/events.ts';
import type { SharedState, TabSharing } from './follow.ts';

export interface TabSharingOptions {
  /**
   * Tabs with the same name share. If several users can be signed in to one origin, the name has to contain the user.
   * @default ''
   */
  readonly name?: string;
  /**
   * How often a tab checks whether the one with the connection is alive, in ms. Less than 2.5 heartbeats.
   * @default 10_000
   */
  readonly pingMs?: number;
}

type Message = 'hello' | 'ping' | 'pong' | 'end' | SharedState | { readonly event: ExecutionEvent };

interface LockManager {
  request(name: string, options: { signal: AbortSignal }, hold: () => Promise<void>): Promise<void>;
}

/**
 * Lets tabs share connections. Where the browser has no Web Locks (it has them in secure contexts only), and outside of
 * browsers, every tab has its own connection.
 * @example
 * const client = createClient({ url: '/', tabs: shareTabs({ name: user.id }) });
 */
export function shareTabs({ name: prefix = '', pingMs = 10_000 }: TabSharingOptions = {}): TabSharing {
  return (key, stateOf, own) => {
    const { locks } = (globalThis as { navigator?: { locks?: LockManager } }).navigator ?? {};
    if (!locks || typeof BroadcastChannel === 'undefined') return own();
    const name = `${key}:${prefix}`;

    return async function* (attempt) {
      const { step, check, dispatch } = attempt;
      const channel = new BroadcastChannel(name);
      const send = (message: Message) => channel.postMessage(message);
      const received: Message[] = [];
      const over = new AbortController();
      const leave = () => {
        over.abort();
        channel.close();
      };
      let isLeader = false;
      let isEnded = false;
      let wake = () => {};
      channel.onmessage = ({ data }: MessageEvent<Message>) => {
        const isRequest = data === 'hello' || data === 'ping';
        if (isLeader && isRequest) send(data === 'hello' ? { state: stateOf() } : 'pong');
        if (isLeader || isRequest) return;
        received.push(data);
        wake();
      };
      const hold = () => {
        isLeader = true;
        wake();
        return new Promise<void>((release) => {
          if (over.signal.aborted) release();
          over.signal.addEventListener('abort', () => release());
        });
      };
      // Rejects when the attempt is over before it has the lock.
      locks.request(name, { signal: over.signal }, hold).catch(() => {});
      // The tab with the connection may be hidden: browsers delay its timers, but not its messages.
      const pings = setInterval(send, pingMs, 'ping');
      try {
        send('hello');
        let isKnown = false;
        while (!isLeader) {
          if (received.length === 0) {
            await step(
              () =>
                new Promise<void>((resolve) => {
                  wake = resolve;
                }),
            );
          }
          for (const message of received.splice(0)) {
            if (message === 'end') return dispatch({ type: 'end' });
            if (typeof message === 'string') continue;
            if ('state' in message) {
              isKnown = true;
              dispatch({ type: 'opened' });
              dispatch({ type: 'received' });
              yield message;
            } else if (isKnown) {
              yield message.event;
              if (isTerminal(message.event.type)) return dispatch({ type: 'end' });
            }
            check();
          }
        }
        clearInterval(pings);
        send({ state: stateOf() });
        for await (const event of own()(attempt)) {
          yield event;
          send({ event });
        }
        send('end');
        isEnded = true;
      } finally {
        clearInterval(pings);
        // The others receive the end before one of them gets the lock, and connects.
        if (isEnded) setTimeout(leave, 1_000);
        else leave();
      }
    };
  };
}
