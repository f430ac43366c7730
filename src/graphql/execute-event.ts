// Executes an operation for one event after the other. What is executed often is compiled, for a fifth of the cost;
// whatever a compiled operation cannot answer without an error, the general executor answers.
import {
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  executeSync,
  GraphQLIncludeDirective,
  GraphQLSkipDirective,
  getDirectiveValues,
  getOperationAST,
  getVariableValues,
  Kind,
  print,
  type SelectionNode,
  visit,
} from 'graphql';
import { type CompiledQuery, compileQuery, isCompiledQuery } from 'graphql-jit';
import type { ExecutionEvent } from '../event/types.ts';

/** Resolvers are given the event and nothing else, so nothing of one caller can reach another. */
const NO_CONTEXT = Object.freeze({});

/** Compiling takes some ms: a document that was sent once is not worth it, and must not cost it. */
const WORTH_COMPILING = 100;
/** Operations that are remembered, the latest ones. */
const REMEMBERED = 500;

interface Operation {
  executions: number;
  compiled: CompiledQuery | undefined;
}

export type ExecuteEvent = (event: ExecutionEvent) => ExecutionResult;

/** Makes executors that share what is compiled: of one schema. */
export function createEventExecutors() {
  const operations = new Map<string, Operation>();

  function operationOf(document: DocumentNode, operationName: string | undefined): Operation {
    const key = JSON.stringify([operationName, print(document)]);
    const operation = operations.get(key) ?? { executions: 0, compiled: undefined };
    operations.delete(key);
    operations.set(key, operation);
    if (operations.size > REMEMBERED) operations.delete(operations.keys().next().value!);
    return operation;
  }

  return function executorOf(args: ExecutionArgs): ExecuteEvent {
    const { schema, variableValues } = args;
    const operationName = args.operationName ?? undefined;
    const document = specialised(args);
    const operation = operationOf(document, operationName);
    return (rootValue) => {
      operation.executions += 1;
      if (operation.executions === WORTH_COMPILING) {
        const compiled = compileQuery(schema, document, operationName);
        if (isCompiledQuery(compiled)) operation.compiled = compiled;
      }
      const result = operation.compiled?.query(rootValue, NO_CONTEXT, variableValues) as
        | ExecutionResult
        | undefined;
      if (result && !result.errors) return result;
      return executeSync({ ...args, rootValue, contextValue: NO_CONTEXT });
    };
  };
}

/**
 * What shapes an event's result of an operation, and no more. Its root arguments do not: a root resolver is given the
 * event, so that documents that name executions in their text are compiled once, and not once an execution. And
 * `@skip` and `@include` are settled by the variables; what is compiled knows no order of fields but the text's.
 */
function specialised(args: ExecutionArgs): DocumentNode {
  const { schema, document, operationName, variableValues } = args;
  const operation = getOperationAST(document, operationName)!;
  const { coerced = {} } = getVariableValues(
    schema,
    operation.variableDefinitions ?? [],
    variableValues ?? {},
  );
  const isLeftOut = (node: SelectionNode): boolean =>
    getDirectiveValues(GraphQLSkipDirective, node, coerced)?.if === true ||
    getDirectiveValues(GraphQLIncludeDirective, node, coerced)?.if === false;
  const settled = (node: SelectionNode) => (isLeftOut(node) ? null : { ...node, directives: [] });
  const settledDocument = visit(document, {
    Field: settled,
    FragmentSpread: settled,
    InlineFragment: settled,
  });
  return {
    ...settledDocument,
    definitions: settledDocument.definitions.map((definition) => {
      if (definition.kind !== Kind.OPERATION_DEFINITION) return definition;
      const { selectionSet } = definition;
      const selections = selectionSet.selections.map(withoutArguments);
      return { ...definition, selectionSet: { ...selectionSet, selections } };
    }),
  };
}

function withoutArguments(node: SelectionNode): SelectionNode {
  if (node.kind !== Kind.FIELD) return node;
  const id = node.arguments?.find(({ name }) => name.value === 'id');
  const any = id && { ...id, value: { kind: Kind.STRING, value: '_' } as const };
  return { ...node, arguments: any ? [any] : [] };
}
