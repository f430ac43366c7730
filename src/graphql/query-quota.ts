// A Yoga plugin: charges operations to their caller's quota before any work is done for them. This covers GraphQL
// requests, single connection mode, and the operations of the REST aliases.
import type { Plugin } from 'graphql-yoga';
import { isExecstreamError } from '../event/errors.ts';
import type { Caller } from '../execution/permission.ts';
import type { Quotas } from '../execution/quotas.ts';
import { toGraphQLError } from './errors.ts';

export function useQueryQuota(quotas: Quotas): Plugin<{ caller: Caller }> {
  return {
    onParse: ({ context }) => {
      try {
        quotas.charge(context.caller, 'queries');
      } catch (error) {
        throw isExecstreamError(error) ? toGraphQLError(error) : error;
      }
    },
    // Streams have separate limits, and many of them may reconnect at the same time after a restart.
    onSubscribe: ({ args }) => quotas.refund(args.contextValue.caller, 'queries'),
  };
}
