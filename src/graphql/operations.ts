// A Yoga plugin: limits the work of an operation. Its cost is checked before it is executed; the reads of queries and
// mutations stop at a limit, a timeout, or when the client disconnects.
import { type ExecutionArgs, type ExecutionResult, GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { FairQueue } from '../async/fair-queue.ts';
import type { ExecstreamError } from '../event/errors.ts';
import { type Caller, callerKey } from '../execution/permission.ts';
import { createReadQueues, type OperationLimits } from '../schema/operation-limits.ts';
import { OperationReads } from '../schema/operation-reads.ts';
import type { SchemaServices } from '../schema/services.ts';
import { costOf } from './query-cost.ts';

interface Context {
  readonly request: Request;
  readonly caller: Caller;
}

export interface OperationsOptions {
  readonly services: SchemaServices;
  readonly limits: OperationLimits;
  /** See QueryLimits. */
  readonly maxCost: number;
}

export function useOperations({ services, limits, maxCost }: OperationsOptions): Plugin {
  const queues = createReadQueues(limits);
  // Otherwise all operations of a caller would advance concurrently: each would hold what it has read, and all would time
  // out.
  const operations = new FairQueue({
    concurrency: Number.POSITIVE_INFINITY,
    perKey: limits.operationsPerCaller,
  });
  const costErrorOf = createCostCheck(maxCost);
  return {
    onSubscribe: ({ args, setResultAndStopExecution }) => {
      const error = costErrorOf(args);
      if (error) setResultAndStopExecution({ data: undefined, errors: [error] } as never);
    },
    onExecute: ({ args, executeFn, extendContext, setExecuteFn, setResultAndStopExecution }) => {
      const error = costErrorOf(args);
      if (error) return setResultAndStopExecution({ data: undefined, errors: [error] } as never);
      const { request, caller } = args.contextValue as unknown as Context;
      const reads = new OperationReads({ services, queues, limits, caller, request });
      extendContext({ reads } as object);
      setExecuteFn(async (executed) => {
        reads.start();
        try {
          const execute = async () => executeFn(executed);
          const result = await operations.run(callerKey(caller), execute, reads.signal);
          return reads.failure ? failed(reads.failure) : result;
        } catch (error) {
          if (!reads.failure || error !== reads.failure) throw error;
          return failed(reads.failure);
        } finally {
          reads.end();
        }
      });
    },
  };
}

/** A single error, instead of the same error for hundreds of fields. */
function failed(originalError: ExecstreamError): ExecutionResult {
  return { data: null, errors: [new GraphQLError(originalError.message, { originalError })] };
}

type Arguments = Pick<ExecutionArgs, 'schema' | 'document' | 'operationName' | 'variableValues'>;

/** Returns a function that returns the error of an operation above the limit. */
function createCostCheck(maxCost: number) {
  return ({ schema, document, operationName, variableValues }: Arguments): GraphQLError | undefined => {
    const cost = costOf(schema, document, operationName, variableValues ?? {});
    if (cost <= maxCost) return undefined;
    const message = `query cost limit of ${maxCost} exceeded, found ${cost}`;
    const http = { spec: true, status: 400 };
    return new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT', http } });
  };
}
