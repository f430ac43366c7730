// A Yoga plugin: under how many names one document may select what an event carries. Each name is a copy of up to 64 KiB
// in every message, for no use: thirty aliases of `data` made messages of 2 MB.
import {
  GraphQLError,
  getNamedType,
  isInterfaceType,
  isObjectType,
  type ValidationContext,
  type ValidationRule,
} from 'graphql';
import type { Plugin } from 'graphql-yoga';

/** Two, so that fields of one name and different types can be told apart by an alias each. */
const MAX_NAMES = 2;

const EVENT = 'ExecutionEvent';
/** Scalars without a size of their own. */
const UNBOUNDED: ReadonlySet<string> = new Set(['JSON', 'String']);

export function useEventAliasLimit(): Plugin {
  return { onValidate: ({ addValidationRule }) => addValidationRule(eventAliasRule) };
}

const eventAliasRule: ValidationRule = (context) => {
  const names = new Map<string, Set<string>>();
  return {
    Field(node) {
      const field = unboundedFieldOf(context);
      if (field === undefined) return;
      const known = names.get(field) ?? new Set();
      names.set(field, known);
      known.add((node.alias ?? node.name).value);
      if (known.size !== MAX_NAMES + 1) return;
      const message = `${field} is selected under too many names: the limit is ${MAX_NAMES}`;
      const extensions = { code: 'BAD_USER_INPUT' };
      context.reportError(new GraphQLError(message, { nodes: node, extensions }));
    },
  };
};

/** The field of an event that is being visited, if its value may be of any size. */
function unboundedFieldOf(context: ValidationContext): string | undefined {
  const parent = context.getParentType();
  const field = context.getFieldDef();
  if (!parent || !field || !UNBOUNDED.has(getNamedType(field.type).name)) return undefined;
  const isEvent =
    (isInterfaceType(parent) && parent.name === EVENT) ||
    (isObjectType(parent) && parent.getInterfaces().some(({ name }) => name === EVENT));
  return isEvent && !field.name.startsWith('__') ? `${parent.name}.${field.name}` : undefined;
}
