// Executes an operation for one event after the other: compiled where that gives an answer without an error, else by
// the general executor.
import {
  type ExecutionArgs,
  type ExecutionResult,
  executeSync,
  getOperationAST,
  getVariableValues,
  print,
  visit,
} from 'graphql';
import type { ExecutionEvent } from '../event/types.ts';
import type { EventExecutor } from '../schema/operation.ts';
import { maskErrors } from './errors.ts';
import { type CompiledOperation, compileOperation, NO_CONTEXT } from './selection.ts';

/** Compiled operations that are remembered, the latest ones. */
const REMEMBERED = 500;

/**
 * Makes executors of validated operations. What is compiled is shared by all executions that are watched by the same
 * selection: a thousand copies of it would not fit into a processor's cache.
 */
export function createEventExecutors() {
  const known = new Map<string, CompiledOperation | undefined>();

  function compiledOf(args: ExecutionArgs): CompiledOperation | undefined {
    const key = keyOf(args);
    const compiled = known.has(key) ? known.get(key) : compileOperation(args);
    known.delete(key);
    known.set(key, compiled);
    if (known.size > REMEMBERED) known.delete(known.keys().next().value!);
    return compiled;
  }

  return function executorOf(args: ExecutionArgs): EventExecutor {
    const compiled = compiledOf(args);
    function general(rootValue: ExecutionEvent): ExecutionResult {
      return maskErrors(executeSync({ ...args, rootValue, contextValue: NO_CONTEXT }));
    }
    return {
      json(event) {
        try {
          if (compiled) return compiled.json(event);
        } catch {
          // It has an error to tell, and the general executor the words for it.
        }
        return JSON.stringify(general(event));
      },
      result(event) {
        try {
          if (compiled) return { data: compiled.data(event) };
        } catch {
          // As above.
        }
        return general(event);
      },
    };
  };
}

/**
 * What shapes an event's result. The arguments of a stream do not: they say which events there are. Nor do variables
 * but those of `@skip` and `@include`.
 */
function keyOf({ schema, document, operationName, variableValues }: ExecutionArgs): string {
  const { variableDefinitions = [] } = getOperationAST(document, operationName)!;
  const { coerced = {} } = getVariableValues(schema, variableDefinitions, variableValues ?? {});
  const conditions = Object.entries(coerced).filter(([, value]) => typeof value === 'boolean');
  const selections = visit(document, { Field: (node) => ({ ...node, arguments: [] }) });
  return JSON.stringify([operationName, print(selections), conditions]);
}
