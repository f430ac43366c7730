// The limit of open files. Each connection needs one: MAX_STREAMS is compared with the limit at start. If it is too
// low, fewer connections are accepted, so that Redis and the database can still be reconnected.
import { readFileSync } from 'node:fs';
import { type Limits, maxConnections } from './limits.ts';

/** For everything that is not a client's connection: Redis, Postgres or PGlite's files, Temporal, and Node itself. */
const RESERVED = 256;
const MIN_CONNECTIONS = 16;

/** How many files this process may open; undefined if there is no limit or it is unknown (only Linux reports it). */
export function openFileLimit(path = '/proc/self/limits'): number | undefined {
  try {
    // Node raises the soft limit to the hard limit at start.
    const [, soft] = /^Max open files +(\d+) /m.exec(readFileSync(path, 'utf8')) ?? [];
    return soft === undefined ? undefined : Number(soft);
  } catch {
    return undefined;
  }
}

export interface OpenFilesCheck {
  /** How many connections can be accepted. */
  readonly maxConnections: number;
  /** Set if they are fewer than the limits promise. */
  readonly warning?: string;
}

/** Compares the number of files that the limits need with what the process may open. */
export function checkOpenFiles(limits: Limits, limit: number | undefined): OpenFilesCheck {
  const connections = maxConnections(limits);
  const needed = connections + RESERVED;
  if (limit === undefined || limit >= needed) return { maxConnections: connections };
  const possible = Math.max(limit - RESERVED, MIN_CONNECTIONS);
  const { perNode } = limits.streams;
  const streams = limit - (needed - perNode);
  const lower = streams > 0 ? `lower MAX_STREAMS to ${streams}` : 'lower MAX_STREAMS';
  const warning =
    `MAX_STREAMS (${perNode}) needs ${needed} open files, and this process may open ${limit}: ` +
    `connections above ${possible} will be rejected. Raise the limit (ulimit -n, systemd's LimitNOFILE=, ` +
    `Docker's --ulimit nofile=) or ${lower}`;
  return { maxConnections: possible, warning };
}
