// The subscriptions `workflowStream`, `agentStream` and `taskStream`: arguments, checks, and a viewer of the execution's
// tail.
import { parseCursor } from '../event/cursor.ts';
import { ExecstreamError } from '../event/errors.ts';
import type { ExecutionKind } from '../event/events.ts';
import { checkExecutionId } from '../event/execution-id.ts';
import { builder, EventTypeEnum } from './builder.ts';
import { ExecutionEventInterface } from './events.ts';
import { runIdArgument, runIdOf } from './runs.ts';

builder.subscriptionType({});

/** Limits and default of `pollMs`, in ms: how often to poll a source that does not announce its events. */
export const POLL_MS = { least: 250, most: 2_000, default: 500 };

/**
 * Checks a poll interval.
 * @throws ExecstreamError `BAD_USER_INPUT` if it is out of bounds
 */
function checkPollMs(pollMs: number): void {
  if (!Number.isInteger(pollMs) || pollMs < POLL_MS.least || pollMs > POLL_MS.most) {
    const { least, most } = POLL_MS;
    throw new ExecstreamError('BAD_USER_INPUT', `pollMs: expected ${least} to ${most}, got ${pollMs}`);
  }
}

/** Defines the subscription to executions of one kind. */
function defineStream(kind: ExecutionKind): void {
  builder.subscriptionField(`${kind}Stream`, (t) =>
    t.field({
      type: ExecutionEventInterface,
      description: `Streams the events of ${kind === 'agent' ? 'an' : 'a'} ${kind} execution after a cursor: first those in its log, then new ones.`,
      args: {
        id: t.arg.id({ required: true }),
        runId: runIdArgument(t.arg),
        after: t.arg({
          type: 'Cursor',
          description: 'Resume after this cursor. The `Last-Event-ID` header takes precedence.',
        }),
        events: t.arg({
          type: [EventTypeEnum],
          description: 'Deliver only these types; `reset` and `gap` are always delivered.',
        }),
        pollMs: t.arg.int({
          description:
            'How often to poll a source that does not announce its events, in ms: 250 to 2000, by default 500.',
        }),
      },
      subscribe: (_, { id, runId, after, events, pollMs }, { services, caller, lastEventId }) => {
        checkPollMs(pollMs ?? POLL_MS.default);
        return services.tails.open({
          kind,
          executionId: checkExecutionId(id),
          runId: runIdOf(runId),
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

defineStream('workflow');
defineStream('agent');
defineStream('task');
