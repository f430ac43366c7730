// Executes an operation for one event after another: compiled, or by graphql-js if that is not possible or fails.
import { type ExecutionArgs, type ExecutionResult, executeSync } from 'graphql';
import { LruMap } from '../async/lru-map.ts';
import type { ExecutionEvent } from '../event/events.ts';
import type { EventExecutor } from '../stream/encoder.ts';
import { type CompiledOperation, compileOperation, NO_CONTEXT } from './compiled-selection.ts';
import { maskErrors } from './errors.ts';
import { resultShapeOf } from './result-shape.ts';

/** Compiled operations kept in memory. */
const MAX_COMPILED = 500;

/**
 * Creates executors of validated operations. A compiled operation is shared by all streams with the same selection: a
 * thousand copies of it would not fit into a processor's cache.
 */
export function createEventExecutors() {
  const compiledOperations = new LruMap<string, CompiledOperation | undefined>(MAX_COMPILED);

  function compiledOf(args: ExecutionArgs): CompiledOperation | undefined {
    const key = resultShapeOf(args);
    if (compiledOperations.has(key)) return compiledOperations.get(key);
    const compiled = compileOperation(args);
    compiledOperations.set(key, compiled);
    return compiled;
  }

  return (args: ExecutionArgs): EventExecutor => new Executor(args, compiledOf(args));
}

class Executor implements EventExecutor {
  readonly #compiled: CompiledOperation | undefined;
  /** Without the context, which would keep its request in memory while the stream is open. */
  readonly #args: Pick<ExecutionArgs, 'schema' | 'document' | 'operationName' | 'variableValues'>;

  constructor(args: ExecutionArgs, compiled: CompiledOperation | undefined) {
    const { schema, document, operationName, variableValues } = args;
    this.#args = { schema, document, operationName, variableValues };
    this.#compiled = compiled;
  }

  json(event: ExecutionEvent): string {
    try {
      if (this.#compiled) return this.#compiled.json(event);
    } catch {
      // graphql-js reports the error.
    }
    return JSON.stringify(this.#executeGenerically(event));
  }

  result(event: ExecutionEvent): ExecutionResult {
    try {
      if (this.#compiled) return { data: this.#compiled.data(event) };
    } catch {
      // graphql-js reports the error.
    }
    return this.#executeGenerically(event);
  }

  #executeGenerically(rootValue: ExecutionEvent): ExecutionResult {
    return maskErrors(executeSync({ ...this.#args, rootValue, contextValue: NO_CONTEXT }));
  }
}
