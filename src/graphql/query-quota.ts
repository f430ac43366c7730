// A Yoga plugin: counts operations against the quota of their caller, before any work is done for them. It covers
// GraphQL's own requests, single connection mode, and the operations that the REST aliases run.
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
    // A subscription has the limits of streams, and may come back with many others after a restart.
    onSubscribe: ({ args }) => quotas.refund(args.contextValue.caller, 'queries'),
  };
}
