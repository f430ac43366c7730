// The shape of a subscription's results: two operations of the same shape have the same result for every event.
//
// The arguments of a stream are not part of it: they select the events. Neither are names of operations, fragments of
// other operations, variables that only a stream's arguments use, white space and comments.
import {
  type DocumentNode,
  type ExecutionArgs,
  type GraphQLSchema,
  getOperationAST,
  getVariableValues,
  Kind,
  print,
  separateOperations,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql';

interface NormalisedOperation {
  readonly text: string;
  /** Variables on which the result depends, as those of `@skip` and `@include`. */
  readonly variables: readonly string[];
}

type Arguments = Pick<ExecutionArgs, 'schema' | 'document' | 'operationName' | 'variableValues'>;

/** Yoga parses a text once, and passes the same document for every request that sends it. */
const normalised = new WeakMap<DocumentNode, Map<string, NormalisedOperation>>();

/** The shape of a validated operation as a string: equal for operations with the same results, different otherwise. */
export function resultShapeOf({ schema, document, operationName, variableValues }: Arguments): string {
  const { text, variables } = normalisedOperation(schema, document, operationName);
  if (variables.length === 0) return text;
  const { variableDefinitions = [] } = getOperationAST(document, operationName)!;
  const { coerced = {} } = getVariableValues(schema, variableDefinitions, variableValues ?? {});
  return JSON.stringify([text, variables.map((name) => [name, coerced[name]])]);
}

function normalisedOperation(
  schema: GraphQLSchema,
  document: DocumentNode,
  operationName: string | null | undefined,
): NormalisedOperation {
  const byName = normalised.get(document) ?? new Map<string, NormalisedOperation>();
  normalised.set(document, byName);
  const name = getOperationAST(document, operationName)!.name?.value ?? '';
  const operation = byName.get(name) ?? normalise(schema, separateOperations(document)[name]!);
  byName.set(name, operation);
  return operation;
}

function normalise(schema: GraphQLSchema, document: DocumentNode): NormalisedOperation {
  const streams = schema.getSubscriptionType();
  const typeInfo = new TypeInfo(schema);
  const stripped = visit(
    document,
    visitWithTypeInfo(typeInfo, {
      OperationDefinition: (node) => ({ ...node, name: undefined, variableDefinitions: [] }),
      Field: (node) => (typeInfo.getParentType() === streams ? { ...node, arguments: [] } : undefined),
    }),
  );
  const variables = new Set<string>();
  visit(stripped, { [Kind.VARIABLE]: ({ name }) => void variables.add(name.value) });
  return { text: print(stripped), variables: [...variables] };
}
