// What the store asks of a database, whichever it is.
import type { ErrorLogger } from '../../telemetry/logger.ts';
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
  readonly logger?: ErrorLogger | undefined;
  /** Aborts the start of an embedded database. */
  readonly signal?: AbortSignal | undefined;
}
