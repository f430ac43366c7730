// A Yoga plugin: limits how many aliases of an event's large field one document may select. Each alias is a useless copy
// of up to 64 KiB in every message: 30 aliases of `data` resulted in messages of 2 MB.
import {
  GraphQLError,
  getNamedType,
  isInterfaceType,
  isObjectType,
  type ValidationContext,
  type ValidationRule,
} from 'graphql';
import type { Plugin } from 'graphql-yoga';

/** Two, so that fields of the same name and different types can each have an alias. */
const MAX_NAMES = 2;

const EVENT = 'ExecutionEvent';
/** Scalars of unlimited size. */
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
      const aliases = names.get(field) ?? new Set();
      names.set(field, aliases);
      aliases.add((node.alias ?? node.name).value);
      if (aliases.size !== MAX_NAMES + 1) return;
      const message = `${field} is selected under too many names: the limit is ${MAX_NAMES}`;
      const extensions = { code: 'BAD_USER_INPUT' };
      context.reportError(new GraphQLError(message, { nodes: node, extensions }));
    },
  };
};

/** The event's field that is being visited, if its size is unlimited. */
function unboundedFieldOf(context: ValidationContext): string | undefined {
  const parent = context.getParentType();
  const field = context.getFieldDef();
  if (!parent || !field || !UNBOUNDED.has(getNamedType(field.type).name)) return undefined;
  const isEvent =
    (isInterfaceType(parent) && parent.name === EVENT) ||
    (isObjectType(parent) && parent.getInterfaces().some(({ name }) => name === EVENT));
  return isEvent && !field.name.startsWith('__') ? `${parent.name}.${field.name}` : undefined;
}
