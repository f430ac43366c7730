// A Yoga plugin: how much one document may ask for. What is over a limit is refused before anything is executed.
import { maxAliasesRule } from '@escape.tech/graphql-armor-max-aliases';
import { maxDepthRule } from '@escape.tech/graphql-armor-max-depth';
import { GraphQLError, type ValidationContext } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { DEFAULT_OPERATION_LIMITS, type OperationLimits } from '../schema/operation-limits.ts';

/** Limits of documents, and of the work that they cause. */
export interface QueryLimits extends OperationLimits {
  /** Default 12. */
  readonly depth: number;
  /** Default 30. */
  readonly aliases: number;
  /** Default 2,000. */
  readonly tokens: number;
  /** Fields, each counted as often as the lists around it repeat it: see query-cost.ts. Default 10,000. */
  readonly cost: number;
}

/** GraphiQL's introspection stays within these, and whatever the documentation shows. */
export const DEFAULT_QUERY_LIMITS: QueryLimits = {
  ...DEFAULT_OPERATION_LIMITS,
  ...{ depth: 12, aliases: 30, tokens: 2_000, cost: 10_000 },
};

/** The rules throw an error of their own; ours is one of the answer. */
type Reject = (context: ValidationContext | null, error: Error) => void;

export function useQueryLimits({ depth, aliases, tokens }: QueryLimits): Plugin {
  const reject: Reject = (context, { message }) => {
    context?.reportError(badDocument(message.replace('Syntax Error: ', '')));
  };
  const options = { onReject: [reject], propagateOnRejection: false };
  const rules = [
    maxDepthRule({ n: depth, ...options }),
    // Without a list, aliases of `__typename` would not count.
    maxAliasesRule({ n: aliases, allowList: [], ...options }),
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
