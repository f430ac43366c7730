// Estimates the cost of a document before it is executed: its fields, multiplied by the requested sizes of lists.
import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLNamedType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  getOperationAST,
  isInterfaceType,
  isIntrospectionType,
  isListType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  SchemaMetaFieldDef,
  type SelectionSetNode,
  TypeMetaFieldDef,
  type ValueNode,
} from 'graphql';
import { MAX_PAGE } from '../execution/attempt-rules.ts';

/** Assumed sizes of introspection lists, which have no `first`. They are longer, but GraphiQL's own query must pass. */
const INTROSPECTION_LIST = 3;
const INTROSPECTION_TYPES = 10;

interface CostContext {
  readonly schema: GraphQLSchema;
  readonly operation: OperationDefinitionNode;
  readonly variables: Readonly<Record<string, unknown>>;
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  /** By fragment and page size, so that nested fragments are computed once. */
  readonly known: Map<string, number>;
}

/**
 * The cost of an operation: 1 per field, the selection in the edges of a connection multiplied by its `first`, and that
 * of `_entities` by the number of its representations. A `first` of unknown value counts as the largest page.
 * @param variables as the client sent them
 */
export function costOf(
  schema: GraphQLSchema,
  document: DocumentNode,
  operationName: string | null | undefined,
  variables: Readonly<Record<string, unknown>> = {},
): number {
  const operation = getOperationAST(document, operationName);
  const root = operation && schema.getRootType(operation.operation);
  if (!root) return 0;
  const fragments = new Map(
    document.definitions.flatMap((node) =>
      node.kind === Kind.FRAGMENT_DEFINITION ? [[node.name.value, node] as const] : [],
    ),
  );
  const context = { schema, operation, variables, fragments, known: new Map<string, number>() };
  return selectionCost(context, operation.selectionSet, root, 1);
}

/** @param page the size of the lists directly below */
function selectionCost(
  context: CostContext,
  { selections }: SelectionSetNode,
  type: GraphQLNamedType,
  page: number,
): number {
  let cost = 0;
  for (const node of selections) {
    if (node.kind === Kind.FIELD) cost += fieldCost(context, node, type, page);
    else if (node.kind === Kind.FRAGMENT_SPREAD) cost += fragmentCost(context, node.name.value, page);
    else {
      const narrowed = node.typeCondition && context.schema.getType(node.typeCondition.name.value);
      cost += selectionCost(context, node.selectionSet, narrowed ?? type, page);
    }
  }
  return cost;
}

function fragmentCost(context: CostContext, name: string, page: number): number {
  const key = `${page} ${name}`;
  const known = context.known.get(key);
  if (known !== undefined) return known;
  const fragment = context.fragments.get(name);
  const type = fragment && context.schema.getType(fragment.typeCondition.name.value);
  const cost = fragment && type ? selectionCost(context, fragment.selectionSet, type, page) : 0;
  context.known.set(key, cost);
  return cost;
}

function fieldCost(context: CostContext, node: FieldNode, parent: GraphQLNamedType, page: number): number {
  const field = fieldOf(context.schema, parent, node.name.value);
  if (!field || !node.selectionSet) return 1;
  const type = getNamedType(field.type);
  const times = isListType(getNullableType(field.type)) ? listSize(context, node, type, page) : 1;
  const first = field.args.find(({ name }) => name === 'first');
  const below = first ? pageSize(context, node, first.defaultValue) : 1;
  return 1 + times * selectionCost(context, node.selectionSet, type, below);
}

function listSize(context: CostContext, node: FieldNode, type: GraphQLNamedType, page: number): number {
  const name = node.name.value;
  if (name === '_entities') return lengthOf(context, argumentOf(node, 'representations'));
  if (!isIntrospectionType(type)) return page;
  return name === 'types' ? INTROSPECTION_TYPES : INTROSPECTION_LIST;
}

function fieldOf(schema: GraphQLSchema, parent: GraphQLNamedType, name: string) {
  if (parent === schema.getQueryType()) {
    if (name === SchemaMetaFieldDef.name) return SchemaMetaFieldDef;
    if (name === TypeMetaFieldDef.name) return TypeMetaFieldDef;
  }
  return isObjectType(parent) || isInterfaceType(parent) ? parent.getFields()[name] : undefined;
}

function argumentOf(node: FieldNode, argument: string): ValueNode | undefined {
  return node.arguments?.find(({ name }) => name.value === argument)?.value;
}

function defaultOf({ operation }: CostContext, name: string): ValueNode | undefined {
  return operation.variableDefinitions?.find(({ variable }) => variable.name.value === name)?.defaultValue;
}

/** The length of a list. A value that is not a list is coerced to a list of one. */
function lengthOf(context: CostContext, value: ValueNode | undefined): number {
  if (value?.kind === Kind.LIST) return value.values.length;
  if (value?.kind !== Kind.VARIABLE) return 1;
  const name = value.name.value;
  const variable = context.variables[name];
  if (variable === undefined) return lengthOf(context, defaultOf(context, name));
  return Array.isArray(variable) ? variable.length : 1;
}

function pageSize(context: CostContext, node: FieldNode, fallback: unknown): number {
  const value = argumentOf(node, 'first');
  if (!value || value.kind === Kind.NULL) return clamp(fallback);
  if (value.kind === Kind.INT) return clamp(Number(value.value));
  if (value.kind !== Kind.VARIABLE) return MAX_PAGE;
  const name = value.name.value;
  const variable = context.variables[name];
  if (variable !== undefined) return clamp(variable ?? fallback);
  const defaultValue = defaultOf(context, name);
  return defaultValue?.kind === Kind.INT ? clamp(Number(defaultValue.value)) : clamp(fallback);
}

/** A value out of bounds is rejected by the resolver. */
function clamp(first: unknown): number {
  return typeof first === 'number' ? Math.min(Math.max(1, first), MAX_PAGE) : MAX_PAGE;
}
