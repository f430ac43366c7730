// What the operations of the three kinds of executions share.
import type { ExecutionKind } from '../../event/events.ts';

/** The kind in operation ids and schema names, such as `Agent`. */
export function kindName(kind: ExecutionKind): string {
  return kind[0]!.toUpperCase() + kind.slice(1);
}

export function withArticle(kind: ExecutionKind): string {
  return kind === 'agent' ? 'an agent' : `a ${kind}`;
}

export const ID = {
  name: 'id',
  in: 'path',
  required: true,
  description: 'The id of the execution, percent-encoded.',
  schema: { type: 'string', minLength: 1, maxLength: 200, pattern: '^[A-Za-z0-9._:~@+/-]+$' },
};
