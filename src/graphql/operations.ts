// A Yoga plugin: limits the work of an operation. Its cost is checked before it is executed; queries and mutations
// get their reads, which stop at a limit, a timeout, or when the client leaves.
import { type ExecutionArgs, GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { Caller } from '../execution/permission.ts';
import { createReadQueues, type OperationLimits } from '../schema/operation-limits.ts';
import { OperationReads } from '../schema/operation-reads.ts';
import type { SchemaServices } from '../schema/services.ts';
import { maskError } from './errors.ts';
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
  const refusalOf = createCostCheck(maxCost);
  return {
    onSubscribe: ({ args, setResultAndStopExecution }) => {
      const refusal = refusalOf(args);
      if (refusal) setResultAndStopExecution({ data: undefined, errors: [refusal] } as never);
    },
    onExecute: ({ args, extendContext, setResultAndStopExecution }) => {
      const refusal = refusalOf(args);
      if (refusal) return setResultAndStopExecution({ data: undefined, errors: [refusal] } as never);
      const { request, caller } = args.contextValue as unknown as Context;
      const reads = new OperationReads({ services, queues, limits, caller, request });
      extendContext({ reads } as object);
      reads.start();
      return {
        onExecuteDone: ({ setResult }) => {
          reads.end();
          const { failure } = reads;
          // In place of the same error at hundreds of fields.
          if (failure) setResult({ data: null, errors: [shown(failure)] });
        },
      };
    },
  };
}

function shown(originalError: Error): GraphQLError {
  return maskError(new GraphQLError(originalError.message, { originalError })) as GraphQLError;
}

type Arguments = Pick<ExecutionArgs, 'schema' | 'document' | 'operationName' | 'variableValues'>;

/** Returns the error for an operation that costs too much. */
function createCostCheck(maxCost: number) {
  return ({ schema, document, operationName, variableValues }: Arguments): GraphQLError | undefined => {
    const cost = costOf(schema, document, operationName, variableValues ?? {});
    if (cost <= maxCost) return undefined;
    const message = `query cost limit of ${maxCost} exceeded, found ${cost}`;
    const http = { spec: true, status: 400 };
    return new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT', http } });
  };
}
