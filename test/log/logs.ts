// Logs under test: made, opened, closed again.
import { afterEach } from 'vitest';
import type { AppendRequest, EventLog, LogBounds, LogHead, OpenRequest } from '../../src/log/log.ts';

export type MakeLog = (bounds?: Partial<LogBounds>) => EventLog;

/** Logs of one describe, closed after each test. */
export function logs(make: MakeLog): MakeLog {
  const made: EventLog[] = [];
  afterEach(async () => {
    await Promise.all(made.splice(0).map((log) => log.close()));
  });
  return (bounds) => {
    const log = make(bounds);
    made.push(log);
    return log;
  };
}

export function freshId(): string {
  return `contract-${crypto.randomUUID()}`;
}

/** Opens, and expects it to go through. */
export async function take(
  log: EventLog,
  id: string,
  { numbering = 'auto', attempt = 1, ...rest }: Partial<OpenRequest> = {},
): Promise<LogHead> {
  const result = await log.open(id, { numbering, attempt, ...rest });
  if (result.outcome !== 'opened') throw new Error(`open answered ${result.outcome}`);
  return result.head;
}

/** An append of chunks to a log that was just opened. */
export function request(
  { epoch, head }: LogHead,
  events: AppendRequest['events'],
  rest: Partial<AppendRequest> = {},
): AppendRequest {
  return { epoch, acknowledged: head, events, ...rest };
}
