// A Yoga plugin: how much one document may ask for. What is over a limit is refused before anything is executed.
import { costLimitRule } from '@escape.tech/graphql-armor-cost-limit';
import { maxAliasesRule } from '@escape.tech/graphql-armor-max-aliases';
import { maxDepthRule } from '@escape.tech/graphql-armor-max-depth';
import { GraphQLError, type ValidationContext } from 'graphql';
import type { Plugin } from 'graphql-yoga';

export interface QueryLimits {
  readonly depth: number;
  readonly aliases: number;
  readonly tokens: number;
  /** A field costs 1, one with a selection 2 and what that costs, 1.5 times for each level, times its `first`. */
  readonly cost: number;
}

/** GraphiQL's introspection stays within these, and whatever the documentation shows. */
export const DEFAULT_QUERY_LIMITS: QueryLimits = { depth: 12, aliases: 30, tokens: 2_000, cost: 5_000 };

/** The rules throw an error of their own; ours is one of the answer. */
type Reject = (context: ValidationContext | null, error: Error) => void;

export function useQueryLimits(limits: Partial<QueryLimits> = {}): Plugin {
  const { depth, aliases, tokens, cost } = { ...DEFAULT_QUERY_LIMITS, ...limits };
  const reject: Reject = (context, { message }) => {
    context?.reportError(badDocument(message.replace('Syntax Error: ', '')));
  };
  const options = { onReject: [reject], propagateOnRejection: false };
  const rules = [
    maxDepthRule({ n: depth, ...options }),
    maxAliasesRule({ n: aliases, ...options }),
    costLimitRule({ maxCost: cost, ...options }),
  ];
  return {
    onParse: ({ parseFn, setParseFn }) => {
      setParseFn((source, options) => {
        try {
          return parseFn(source, { ...options, maxTokens: tokens });
        } catch (error) {
          // What is nested in the document has used the stack up.
          if (error instanceof RangeError) throw badDocument('the document is nested too deep');
          throw error;
        }
      });
    },
    onValidate: ({ addValidationRule }) => {
      for (const rule of rules) addValidationRule(rule);
    },
  };
}

function badDocument(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT' } });
}
