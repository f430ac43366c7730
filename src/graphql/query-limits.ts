// A Yoga plugin: limits the size of documents. A document above a limit is rejected before it is executed.
import { maxAliasesRule } from '@escape.tech/graphql-armor-max-aliases';
import { maxDepthRule } from '@escape.tech/graphql-armor-max-depth';
import { GraphQLError, type ValidationContext } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import { DEFAULT_OPERATION_LIMITS, type OperationLimits } from '../schema/operation-limits.ts';

/** Limits of documents, and of the work that they cause. */
export interface QueryLimits extends OperationLimits {
  /** @default 12 */
  readonly depth: number;
  /** @default 30 */
  readonly aliases: number;
  /** @default 2_000 */
  readonly tokens: number;
  /**
   * Fields, multiplied by the sizes of the lists around them: see query-cost.ts.
   * @default 10_000
   */
  readonly cost: number;
}

/** GraphiQL's introspection and all documented operations are within these limits. */
export const DEFAULT_QUERY_LIMITS: QueryLimits = {
  ...DEFAULT_OPERATION_LIMITS,
  ...{ depth: 12, aliases: 30, tokens: 2_000, cost: 10_000 },
};

/** Replaces an error that the rules would throw by one in the response. */
type Reject = (context: ValidationContext | null, error: Error) => void;

/** @internal */
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
          // The document is nested so deeply that the parser has exceeded the stack.
          if (error instanceof RangeError) throw badDocument('the document is nested too deeply');
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
