// What the store asks of a database, whichever it is.
import type { PrismaClient } from '../generated/client.ts';

/** A database that is up to date. */
export interface Database {
  /** @throws ExecstreamError `SOURCE_UNAVAILABLE` while an embedded database is down. */
  readonly prisma: PrismaClient;
  close(): Promise<void>;
}

export interface ConnectOptions {
  /** Of waiting for a connection, and of every statement. */
  readonly timeoutMs: number;
  /** Connections to Postgres at most; PGlite has one. */
  readonly maxConnections: number;
  /** Where failures of an embedded database are reported. */
  readonly logger?: DatabaseLogger | undefined;
  /** Aborts the start of an embedded database. */
  readonly signal?: AbortSignal | undefined;
}

/** The smallest logger that pino satisfies. */
export interface DatabaseLogger {
  info?(details: object, message: string): void;
  error(details: object, message: string): void;
}
