// What shapes the results of a subscription: two operations of one shape have the same result for every event.
//
// The arguments of a stream do not: they say which events there are. Nor do the names of operations, fragments that
// another operation uses, variables that only arguments of a stream use, white space and comments.
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
  /** Variables that shape the result, as those of `@skip` and `@include`. */
  readonly variables: readonly string[];
}

type Arguments = Pick<ExecutionArgs, 'schema' | 'document' | 'operationName' | 'variableValues'>;

/** Yoga parses a text once, and hands the same document to all who send it. */
const normalised = new WeakMap<DocumentNode, Map<string, NormalisedOperation>>();

/** The shape of a validated operation as a text: equal for operations with the same results, different otherwise. */
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
