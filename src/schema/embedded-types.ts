// The subscriptions and the types of events, for the Pothos builder of another server. They are copied from our schema, so
// that there is one definition; a prefix keeps their names apart from those that the builder has.
import '@pothos/core';
import {
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInterfaceType,
  type GraphQLNamedType,
  type GraphQLOutputType,
  getNamedType,
  getNullableType,
  isEnumType,
  isInterfaceType,
  isListType,
  isNonNullType,
  isObjectType,
  isScalarType,
  isSpecifiedScalarType,
} from 'graphql';
import { ExecstreamError } from '../event/errors.ts';
import type { RequestContext } from './context.ts';
import { apiSchema } from './index.ts';

export interface EmbeddedTypesOptions {
  /**
   * Precedes the name of every type, such as `Execstream` in `ExecstreamDateTime`. It has to differ from '' if the builder
   * has a type of the same name, as most have a `DateTime` or a `JSON`.
   * @default ''
   */
  readonly prefix?: string | undefined;
  /**
   * Precedes the names of the subscriptions, such as `execstream` in `execstreamAgentStream`.
   * @default ''
   */
  readonly fieldPrefix?: string | undefined;
}

/** Any builder: its types are those of another schema. */
// biome-ignore lint/suspicious/noExplicitAny: a builder is invariant in its types
type AnyBuilder = PothosSchemaTypes.SchemaBuilder<any>;
/** A reference whose type only the other schema knows. */
type Ref = never;

/** The contexts of our resolvers, by those of the other server. */
const contexts = new WeakMap<object, RequestContext>();

/** Gives the subscriptions of an operation their context; `useExecstream` calls it. */
export function bindContext(
  context: object,
  own: Pick<RequestContext, 'caller' | 'lastEventId' | 'services'>,
): void {
  contexts.set(context, own as RequestContext);
}

/**
 * Adds the subscriptions `workflowStream`, `agentStream` and `taskStream` and the types of their events to a Pothos builder
 * with a subscription type. Its Yoga server needs the plugin `useExecstream`.
 * @throws ExecstreamError `CONFIG` for a prefix that is not a GraphQL name
 * @example
 * ```ts
 * builder.subscriptionType({});
 * addExecstreamTypes(builder, { prefix: 'Execstream' });
 * ```
 */
export function addExecstreamTypes(builder: AnyBuilder, options: EmbeddedTypesOptions = {}): void {
  const { prefix = '', fieldPrefix = '' } = options;
  for (const [name, value] of Object.entries({ prefix, fieldPrefix })) {
    if (!/^(?:[_A-Za-z]\w*)?$/.test(value)) {
      throw new ExecstreamError('CONFIG', `${name}: expected a GraphQL name, got "${value.slice(0, 80)}"`);
    }
  }
  const copier = new TypeCopier(builder, prefix);
  for (const [name, field] of subscriptionNames(fieldPrefix)) copier.addSubscription(name, field);
}

/** Our subscriptions by their names in another schema. */
export function subscriptionNames(
  fieldPrefix: string,
): ReadonlyMap<string, GraphQLField<unknown, RequestContext>> {
  const fields = Object.values(apiSchema.getSubscriptionType()!.getFields());
  return new Map(
    fields.map((field) => {
      const { name } = field;
      return [fieldPrefix ? `${fieldPrefix}${name[0]!.toUpperCase()}${name.slice(1)}` : name, field];
    }),
  );
}

class TypeCopier {
  readonly #builder: AnyBuilder;
  readonly #prefix: string;
  /** Copied types by their names in our schema. */
  readonly #copied = new Map<string, Ref>();

  constructor(builder: AnyBuilder, prefix: string) {
    this.#builder = builder;
    this.#prefix = prefix;
  }

  addSubscription(name: string, field: GraphQLField<unknown, RequestContext>): void {
    const event = getNamedType(field.type) as GraphQLInterfaceType;
    const type = this.#refOf(event);
    for (const implementation of apiSchema.getPossibleTypes(event)) this.#refOf(implementation);
    const define = (t: FieldBuilder) =>
      t.field({
        type,
        nullable: false,
        description: field.description ?? undefined,
        args: Object.fromEntries(field.args.map((arg) => [arg.name, this.#argument(t, arg)])),
        subscribe: (root: unknown, args: object, context: object, info: never) =>
          field.subscribe!(root, args, ownContext(context), info),
        resolve: (value: unknown) => value,
      });
    this.#builder.subscriptionField(name, define as Ref);
  }

  #argument(t: FieldBuilder, { type, description }: GraphQLArgument): Ref {
    const required = isNonNullType(type);
    const nullable = getNullableType(type);
    const item = this.#refOf(getNamedType(type));
    const isList = isListType(nullable);
    return t.arg({
      type: isList ? [item] : item,
      required: isList ? { list: required, items: true } : required,
      description: description ?? undefined,
    });
  }

  /** The reference of a type's copy. */
  #refOf(type: GraphQLNamedType): Ref {
    if (isSpecifiedScalarType(type)) return type.name as Ref;
    const known = this.#copied.get(type.name);
    if (known !== undefined) return known;
    const ref = this.#copy(type);
    this.#copied.set(type.name, ref);
    return ref;
  }

  #copy(type: GraphQLNamedType): Ref {
    const name = this.#prefix + type.name;
    const description = type.description ?? undefined;
    if (isScalarType(type)) return this.#builder.addScalarType(name as Ref, type) as Ref;
    if (isEnumType(type)) {
      const values = type
        .getValues()
        .map((entry) => [entry.name, { value: entry.value, description: entry.description ?? undefined }]);
      return this.#builder.enumType(name, { description, values: Object.fromEntries(values) }) as Ref;
    }
    if (isInterfaceType(type)) {
      const resolveType = (event: unknown) =>
        this.#prefix + String(type.resolveType!(event, undefined as never, undefined as never, type));
      const ref = this.#builder.interfaceRef(name);
      return ref.implement({ description, resolveType, fields: this.#fieldsOf(type.getFields()) }) as Ref;
    }
    if (!isObjectType(type)) throw new Error(`${type.name}: no copy of such a type`);
    const interfaces = type.getInterfaces().map((each) => this.#refOf(each));
    const inherited = new Set(type.getInterfaces().flatMap((each) => Object.keys(each.getFields())));
    const own = Object.entries(type.getFields()).filter(([field]) => !inherited.has(field));
    const ref = this.#builder.objectRef(name);
    return ref.implement({
      description,
      interfaces,
      fields: this.#fieldsOf(Object.fromEntries(own)),
    } as never) as Ref;
  }

  #fieldsOf(fields: Readonly<Record<string, GraphQLField<unknown, unknown>>>): Ref {
    const define = (t: FieldBuilder) =>
      Object.fromEntries(
        Object.values(fields).map(({ name, type, description, resolve }) => [
          name,
          t.field({
            type: this.#refOf(namedOutput(type)),
            nullable: !isNonNullType(type),
            description: description ?? undefined,
            resolve: resolve as Ref,
          }),
        ]),
      );
    return define as Ref;
  }
}

interface FieldBuilder {
  field(options: object): Ref;
  arg(options: object): Ref;
}

/** Fields of events are not lists. */
function namedOutput(type: GraphQLOutputType): GraphQLNamedType {
  return getNamedType(type);
}

function ownContext(context: object): RequestContext {
  const own = contexts.get(context);
  if (own) return own;
  throw new Error('execstream: the Yoga server of these types needs the plugin useExecstream');
}
