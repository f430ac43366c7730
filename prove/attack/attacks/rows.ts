// Inserts rows for the attacks that read, in one SQL statement, as another program could.
import { type AttackContext, TENANT } from '../attack.ts';

export interface RowsOptions {
  readonly prefix: string;
  readonly count: number;
  readonly parentId?: string;
  /** Characters of each row's result; null if absent. */
  readonly resultChars?: number;
}

/** Ended executions `<prefix>-1` to `<prefix>-<count>` of the attacker's tenant. */
export function insertRows(
  context: AttackContext,
  { prefix, count, parentId, resultChars }: RowsOptions,
): Promise<void> {
  const result = resultChars === undefined ? 'NULL' : `'"' || repeat('x', ${resultChars}) || '"'`;
  return context.sql(`
    INSERT INTO execstream.execution
      (id, kind, status, mode, tenant, parent_id, result, started_at, finished_at)
    SELECT '${prefix}-' || n, 'agent', 'SUCCESS', 'TEXT', '${TENANT}',
      ${parentId === undefined ? 'NULL' : `'${parentId}'`}, ${result},
      now() at time zone 'utc' - n * interval '1 second', now() at time zone 'utc'
    FROM generate_series(1, ${count}) AS n`);
}
