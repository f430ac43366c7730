// Logs under test: created, opened and closed.
import { afterEach } from 'vitest';
import type { AppendRequest, EventLog, LogBounds, LogHead, OpenRequest } from '../../src/log/log.ts';

export type MakeLog = (bounds?: Partial<LogBounds>) => EventLog;

/** Creates the logs of one describe, and closes them after each test. */
export function logs(make: MakeLog): MakeLog {
  const created: EventLog[] = [];
  afterEach(async () => {
    await Promise.all(created.splice(0).map((log) => log.close()));
  });
  return (bounds) => {
    const log = make(bounds);
    created.push(log);
    return log;
  };
}

export function freshId(): string {
  return `contract-${crypto.randomUUID()}`;
}

/** Opens a log. @throws Error for any other outcome than `opened` */
export async function take(
  log: EventLog,
  id: string,
  { numbering = 'auto', attempt = 1, ...rest }: Partial<OpenRequest> = {},
): Promise<LogHead> {
  const result = await log.open(id, { numbering, attempt, ...rest });
  if (result.outcome !== 'opened') throw new Error(`the outcome of open is ${result.outcome}`);
  return result.head;
}

/** An append to a log that was just opened. */
export function request(
  { epoch, head }: LogHead,
  events: AppendRequest['events'],
  rest: Partial<AppendRequest> = {},
): AppendRequest {
  return { epoch, acknowledged: head, events, ...rest };
}
