// `createStreamToken` and `revokeStreamToken`: what a browser's EventSource is let in by.
import { ExecstreamError } from '../event/errors.ts';
import { checkExecutionId } from '../event/execution-id.ts';
import { type Caller, requireRead, unknownExecution } from '../execution/permission.ts';
import { builder } from './builder.ts';
import type { RequestContext } from './context.ts';
import type { StreamToken } from './services.ts';

const MOST_EXECUTIONS = 100;

const StreamTokenObject = builder.objectRef<StreamToken>('StreamToken').implement({
  description: 'Goes into `?access_token=` of a stream, for a client that sends no headers.',
  fields: (t) => ({
    token: t.exposeString('token', {
      description: 'Must first be used within 60 s; then it serves reconnects too.',
    }),
    expiresAt: t.field({
      type: 'DateTime',
      description: 'When it serves no longer: make another one before.',
      resolve: ({ expiresAt }) => expiresAt,
    }),
  }),
});

builder.mutationType({
  fields: (t) => ({
    createStreamToken: t.field({
      type: StreamTokenObject,
      description: 'Makes a token that reads these executions, and nothing else.',
      args: { executions: t.arg.idList({ required: true }) },
      resolve: async (_, { executions }, context) => {
        if (executions.length === 0 || executions.length > MOST_EXECUTIONS) {
          const detail = `executions: expected 1 to ${MOST_EXECUTIONS}, not ${executions.length}`;
          throw new ExecstreamError('BAD_USER_INPUT', detail);
        }
        const ids = [...new Set(executions.map(checkExecutionId))];
        refuseStreamTokens(context.caller);
        context.services.quotas.charge(context.caller, 'streamTokens');
        await Promise.all(ids.map((id) => requireReadable(context, id)));
        return context.services.streamTokens.mint(context.caller, ids);
      },
    }),
    revokeStreamToken: t.boolean({
      description: 'Ends a token that the caller has made: true, whether there was one or not.',
      args: { token: t.arg.string({ required: true }) },
      resolve: async (_, { token }, { caller, services }) => {
        refuseStreamTokens(caller);
        await services.streamTokens.revoke(caller, token);
        return true;
      },
    }),
  }),
});

/** Else one token would make the next, and the session had no limit. */
function refuseStreamTokens({ viaStreamToken }: Caller): void {
  if (!viaStreamToken) return;
  throw new ExecstreamError('FORBIDDEN', 'a stream token reads, and does nothing else');
}

async function requireReadable({ services, caller, reads }: RequestContext, id: string): Promise<void> {
  const row = (await reads.execution(id)) ?? (await reads.find('workflow', id));
  if (!row) throw unknownExecution(id);
  await requireRead(services.authorize, caller, row);
}
