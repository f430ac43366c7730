// What the store asks of a database, whichever it is.
import type { PrismaClient } from './generated/client.ts';

/** A database that is up to date. */
export interface Database {
  readonly prisma: PrismaClient;
  close(): Promise<void>;
}

export interface ConnectOptions {
  /** Of waiting for a connection, and of every statement. */
  readonly timeoutMs: number;
  /** Connections to Postgres at most; PGlite has one. */
  readonly maxConnections: number;
}
