// The settings of event streams, and their defaults.
export interface EventStreamSettings {
  /**
   * How long clients wait before they reconnect, in ms; sent to them.
   * @default 1_000
   */
  readonly retryMs: number;
  /**
   * A comment is sent after this time without any other write.
   * @default 15_000
   */
  readonly heartbeatMs: number;
  /**
   * A connection is rotated after 80 to 100 % of this time.
   * @default 600_000
   */
  readonly lifetimeMs: number;
  /**
   * A client that has read nothing for this time is disconnected, and may reconnect. Checked with each heartbeat.
   * @default 60_000
   */
  readonly stalledMs: number;
  /**
   * Rate limit of one stream, so that one that replays a long log leaves bandwidth to the others.
   * @default 16 * 1024 * 1024
   */
  readonly bytesPerSecond: number;
  /**
   * Whether HTTP/1.1 connections are written to past Node's streams. The bytes are the same. `true` applies to the
   * connections of `listen`. `everywhere` includes those of other servers, whose middleware may not expect it.
   * @default true
   */
  readonly directWrites: boolean | 'everywhere';
}

export const DEFAULT_STREAM_SETTINGS: EventStreamSettings = {
  retryMs: 1_000,
  heartbeatMs: 15_000,
  lifetimeMs: 10 * 60_000,
  stalledMs: 60_000,
  bytesPerSecond: 16 * 1024 * 1024,
  directWrites: true,
};
