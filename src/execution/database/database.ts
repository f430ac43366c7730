// The interface of a database, implemented by Postgres and PGlite.
import type { ErrorLogger } from '../../telemetry/logger.ts';
import type { PrismaClient } from '../generated/client.ts';

/** A connected database to which all migrations are applied. */
export interface Database {
  /** @throws ExecstreamError `SOURCE_UNAVAILABLE` while an embedded database is unavailable */
  readonly prisma: PrismaClient;
  close(): Promise<void>;
}

export interface DatabaseOptions {
  /** The timeout of waiting for a connection, and of every statement. */
  readonly timeoutMs: number;
  /** Limit of connections to Postgres; PGlite has one. */
  readonly maxConnections: number;
  /** Receives failures of an embedded database. */
  readonly logger?: ErrorLogger | undefined;
  /** Aborts the start of an embedded database. */
  readonly signal?: AbortSignal | undefined;
}
