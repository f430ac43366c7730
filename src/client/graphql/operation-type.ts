// Detects subscriptions in the text of a document, without a GraphQL parser.

/** Comments, strings, brackets and names; all other characters do not matter. */
const TOKENS = /#[^\n\r]*|"""(?:\\"""|[\s\S])*?"""|"(?:\\.|[^"\\])*"|[([{]|[)\]}]|[A-Z_a-z]\w*/g;

/**
 * Whether the operation that a request selects is a subscription.
 * @param operationName may be omitted if the document has one operation
 */
export function isSubscription(document: string, operationName?: string | null): boolean {
  let depth = 0;
  /** The names outside of all brackets, of the present definition: its keyword, and then its own name. */
  let names: string[] = [];
  for (const [token] of document.matchAll(TOKENS)) {
    if ('([{'.includes(token)) depth += 1;
    else if (')]}'.includes(token)) {
      depth -= 1;
      if (depth > 0 || token !== '}') continue;
      const [keyword, name] = names;
      if (keyword === 'subscription' && (!operationName || name === operationName)) return true;
      names = [];
    } else if (depth === 0 && /\w/.test(token[0]!)) names.push(token);
  }
  return false;
}
