// The limit of open files, one of which each connection needs: MAX_STREAMS is checked against it at start, and fewer
// connections are accepted where it is low, so that Redis and the database can still be reconnected.
import { readFileSync } from 'node:fs';
import { type Limits, maxConnections } from './limits.ts';

/** Kept for what is no client's connection: Redis, Postgres or PGlite's files, Temporal, and Node itself. */
const RESERVED = 256;
const LEAST_CONNECTIONS = 16;

/** How many files this process may open; undefined where that is not limited or not known (only Linux tells). */
export function openFileLimit(path = '/proc/self/limits'): number | undefined {
  try {
    // Node raises the soft limit to the hard one as it starts.
    const [, soft] = /^Max open files +(\d+) /m.exec(readFileSync(path, 'utf8')) ?? [];
    return soft === undefined ? undefined : Number(soft);
  } catch {
    return undefined;
  }
}

export interface OpenFilesCheck {
  /** How many connections can be accepted. */
  readonly maxConnections: number;
  /** What is wrong where they are fewer than the limits promise, and the way out. */
  readonly warning?: string;
}

/** Compares what the limits need with what the process may open. */
export function checkOpenFiles(limits: Limits, limit: number | undefined): OpenFilesCheck {
  const wanted = maxConnections(limits);
  const needed = wanted + RESERVED;
  if (limit === undefined || limit >= needed) return { maxConnections: wanted };
  const possible = Math.max(limit - RESERVED, LEAST_CONNECTIONS);
  const { perNode } = limits.streams;
  const streams = limit - (needed - perNode);
  const lower = streams > 0 ? `set MAX_STREAMS to at most ${streams}` : 'lower MAX_STREAMS';
  const warning =
    `MAX_STREAMS (${perNode}) needs ${needed} open files, and this process may open ${limit}: ` +
    `connections above ${possible} are refused. Raise the limit (ulimit -n, systemd's LimitNOFILE=, ` +
    `Docker's --ulimit nofile=) or ${lower}`;
  return { maxConnections: possible, warning };
}
