// The mutations `createStreamToken` and `revokeStreamToken`: authentication for a browser's EventSource.
import { ExecstreamError } from '../event/errors.ts';
import { checkExecutionId } from '../event/execution-id.ts';
import { type Caller, requireRead, unknownExecution } from '../execution/permission.ts';
import { builder } from './builder.ts';
import type { RequestContext } from './context.ts';
import type { StreamToken } from './services.ts';

const MAX_EXECUTIONS = 100;

const StreamTokenObject = builder.objectRef<StreamToken>('StreamToken').implement({
  description: 'A token for the parameter `access_token` of a stream, for clients that cannot send headers.',
  fields: (t) => ({
    token: t.exposeString('token', {
      description: 'Must first be used within 60 s; it is then also valid for reconnects.',
    }),
    expiresAt: t.field({
      type: 'DateTime',
      description: 'When it stops being accepted. Create another one before that.',
      resolve: ({ expiresAt }) => expiresAt,
    }),
  }),
});

builder.mutationType({
  fields: (t) => ({
    createStreamToken: t.field({
      type: StreamTokenObject,
      description: 'Creates a token that can read these executions, and nothing else.',
      args: { executions: t.arg.idList({ required: true }) },
      resolve: async (_, { executions }, context) => {
        if (executions.length === 0 || executions.length > MAX_EXECUTIONS) {
          const detail = `executions: expected 1 to ${MAX_EXECUTIONS}, got ${executions.length}`;
          throw new ExecstreamError('BAD_USER_INPUT', detail);
        }
        const ids = [...new Set(executions.map(checkExecutionId))];
        rejectStreamTokens(context.caller);
        context.services.quotas.charge(context.caller, 'streamTokens');
        await Promise.all(ids.map((id) => requireReadable(context, id)));
        return context.services.streamTokens.mint(context.caller, ids);
      },
    }),
    revokeStreamToken: t.boolean({
      description: 'Revokes a token that the caller has created. Always true, even if there was none.',
      args: { token: t.arg.string({ required: true }) },
      resolve: async (_, { token }, { caller, services }) => {
        rejectStreamTokens(caller);
        await services.streamTokens.revoke(caller, token);
        return true;
      },
    }),
  }),
});

/** Otherwise one token could create the next, and the session would have no limit. */
function rejectStreamTokens({ viaStreamToken }: Caller): void {
  if (!viaStreamToken) return;
  throw new ExecstreamError('FORBIDDEN', 'a stream token can only read');
}

async function requireReadable({ services, caller, reads }: RequestContext, id: string): Promise<void> {
  const row = await reads.findAny(id);
  if (!row) throw unknownExecution(id);
  await requireRead(services.authorize, caller, row);
}
