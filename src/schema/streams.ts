// What the three subscriptions have in common: arguments, checks, and a viewer of the execution's tail.
import { parseCursor } from '../event/cursor.ts';
import { ExecstreamError } from '../event/errors.ts';
import type { ExecutionKind } from '../event/events.ts';
import { checkExecutionId } from '../event/execution-id.ts';
import { builder, EventTypeEnum } from './builder.ts';
import { ExecutionEventInterface } from './events.ts';

builder.subscriptionType({});

/** The bounds of `pollMs`, how often a source without announcements is asked (PROTOCOL.md, "GraphQL"). */
export const POLL_MS = { least: 250, most: 2_000, default: 500 };

/**
 * Checks a poll interval.
 * @throws ExecstreamError `BAD_USER_INPUT` where it is out of bounds.
 */
function checkPollMs(pollMs: number): void {
  if (!Number.isInteger(pollMs) || pollMs < POLL_MS.least || pollMs > POLL_MS.most) {
    const { least, most } = POLL_MS;
    throw new ExecstreamError(
      'BAD_USER_INPUT',
      `poll interval must be ${least} to ${most} ms, not ${pollMs}`,
    );
  }
}

/** Defines the subscription field that streams executions of one kind. */
export function defineStream(kind: ExecutionKind): void {
  builder.subscriptionField(`${kind}Stream`, (t) =>
    t.field({
      type: ExecutionEventInterface,
      description: `The events of ${kind === 'agent' ? 'an' : 'a'} ${kind} execution, from a cursor on: first those of its log, then live.`,
      args: {
        id: t.arg.id({ required: true }),
        after: t.arg({
          type: 'Cursor',
          description: 'Read on behind this; the `Last-Event-ID` header wins.',
        }),
        events: t.arg({ type: [EventTypeEnum], description: 'Only these; `reset` and `gap` always come.' }),
        pollMs: t.arg.int({
          description: 'How often a source that announces nothing is asked: 250 to 2000, 500 by default.',
        }),
      },
      subscribe: (_, { id, after, events, pollMs }, { services, caller, lastEventId }) => {
        checkPollMs(pollMs ?? POLL_MS.default);
        return services.tails.open({
          kind,
          executionId: checkExecutionId(id),
          caller,
          after: lastEventId === undefined ? (after ?? undefined) : parseCursor(lastEventId),
          events: events ? new Set(events) : undefined,
          pollMs: pollMs ?? undefined,
        });
      },
      resolve: (event) => event,
    }),
  );
}
