// A server under test as scenarios see it: its processes, the requests of viewers, and its feed.
import type { FeedSpec } from '../generator/feeds.ts';
import type { RequestSpec } from '../generator/turn.ts';

/** The environment in which servers are started. */
export interface Place {
  readonly redisUrl: string;
  /** For our executions; our server embeds a database if absent. */
  readonly databaseUrl: string | undefined;
  /** For temporary files; removed at the end. */
  readonly folder: string;
  /** The folder of execstream's build. */
  readonly dist: string;
}

export interface ServerUnderTest {
  readonly port: number;
  readonly pids: readonly number[];
  readonly feed: FeedSpec;
  /** Requests of viewers, by the name under which they are reported. */
  readonly requests: Readonly<Record<string, RequestSpec>>;
  /** Runs a command of bench/preload.mjs in a Node server; undefined in others. */
  readonly control?: (command: string) => Promise<unknown>;
  /** Whether it has exited unexpectedly; undefined if that is unknown. */
  readonly hasEnded?: () => boolean;
  stop(): Promise<void>;
}

/** A kind of server. */
export interface ServerKind {
  readonly name: string;
  /** A description for the tables. */
  readonly description: string;
  /** Why it cannot be started here; undefined if it can. */
  missing?(): string | undefined;
  start(place: Place): Promise<ServerUnderTest>;
}
