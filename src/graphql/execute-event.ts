// Executes an operation for one event after the other: compiled where that gives an answer without an error, else by
// the general executor.
import { type ExecutionArgs, type ExecutionResult, executeSync } from 'graphql';
import type { ExecutionEvent } from '../event/types.ts';
import type { EventExecutor } from '../schema/operation.ts';
import { maskErrors } from './errors.ts';
import { compileOperation, NO_CONTEXT } from './selection.ts';

/** Makes the executor of an operation that was validated. */
export function createEventExecutor(args: ExecutionArgs): EventExecutor {
  const compiled = compileOperation(args);

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
}
