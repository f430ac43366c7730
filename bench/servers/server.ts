// A server under test as the scenarios see it: its processes, what viewers ask it for, and how it is fed.
import type { FeedSpec } from '../generator/feeds.ts';
import type { RequestSpec } from '../generator/turn.ts';

/** Where servers are started. */
export interface Place {
  readonly redisUrl: string;
  /** For our executions; embedded in our server where absent. */
  readonly databaseUrl: string | undefined;
  /** For temporary files; removed in the end. */
  readonly folder: string;
  /** The folder of execstream's build. */
  readonly dist: string;
}

export interface ServerUnderTest {
  readonly port: number;
  readonly pids: readonly number[];
  readonly feed: FeedSpec;
  /** What viewers ask for, by the name under which it is reported. */
  readonly requests: Readonly<Record<string, RequestSpec>>;
  /** Asks what the benchmark has loaded into a server of Node; undefined in others. */
  readonly look?: (words: string) => Promise<unknown>;
  /** Whether it has ended by itself; undefined where that is not known. */
  readonly hasEnded?: () => boolean;
  stop(): Promise<void>;
}

/** How one server is started. */
export interface ServerKind {
  readonly name: string;
  /** What it is, for the tables. */
  readonly is: string;
  /** Why it cannot be started here; undefined where it can. */
  missing?(): string | undefined;
  start(place: Place): Promise<ServerUnderTest>;
}
