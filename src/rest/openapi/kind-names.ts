// The names of kinds in operation ids, schema names and descriptions.
import type { ExecutionKind } from '../../event/events.ts';

/** The kind in operation ids and schema names, such as `Agent`. */
export function kindName(kind: ExecutionKind): string {
  return kind[0]!.toUpperCase() + kind.slice(1);
}

export function withArticle(kind: ExecutionKind): string {
  return kind === 'agent' ? 'an agent' : `a ${kind}`;
}
