// The filters of `executions` that Temporal's visibility evaluates.
import type { ArgBuilder } from '@pothos/core';
import { ExecstreamError } from '../event/errors.ts';
import { checkExecutionId } from '../event/execution-id.ts';
import type { WorkflowFilter } from '../execution/discovery.ts';
import type { SchemaTypes } from './connection.ts';

/** RFC 3339. `Date.parse` alone accepts other formats, and local times. */
const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/i;

/** The arguments, which select workflows alone. */
export function workflowFilterArguments(arg: ArgBuilder<SchemaTypes>) {
  return {
    scheduleId: arg.string({
      description: 'Only workflows that this schedule of Temporal has started. Requires `TEMPORAL_LIST`.',
    }),
    workflowType: arg.string({
      description: 'Only Temporal workflows of this type. Requires `TEMPORAL_LIST`.',
    }),
    parentId: arg.id({
      description: 'Only child workflows of this Temporal workflow. Requires `TEMPORAL_LIST`.',
    }),
    startedFrom: arg({
      type: 'DateTime',
      description: 'Only Temporal workflows that started at this time or later. Requires `TEMPORAL_LIST`.',
    }),
    startedBefore: arg({
      type: 'DateTime',
      description: 'Only Temporal workflows that started before this time. Requires `TEMPORAL_LIST`.',
    }),
  };
}

type FilterArguments = { readonly [Name in keyof WorkflowFilter]?: string | null | undefined };

/**
 * The filter that the arguments describe. Empty ones count as absent.
 * @throws ExecstreamError `BAD_USER_INPUT`
 */
export function workflowFilterOf(args: FilterArguments): WorkflowFilter {
  const { scheduleId, workflowType, parentId } = args;
  const startedFrom = timeOf(args, 'startedFrom');
  const startedBefore = timeOf(args, 'startedBefore');
  return {
    ...(scheduleId && { scheduleId }),
    ...(workflowType && { workflowType }),
    ...(parentId && { parentId: checkExecutionId(parentId) }),
    ...(startedFrom && { startedFrom }),
    ...(startedBefore && { startedBefore }),
  };
}

function timeOf(args: FilterArguments, name: 'startedFrom' | 'startedBefore'): Date | undefined {
  const text: unknown = args[name];
  if (text === undefined || text === null || text === '') return undefined;
  const at = typeof text === 'string' && DATE_TIME.test(text) ? new Date(text) : undefined;
  if (at && !Number.isNaN(at.getTime())) return at;
  const shown = JSON.stringify(text).slice(0, 80);
  throw new ExecstreamError('BAD_USER_INPUT', `${name}: expected a date and time (RFC 3339), got ${shown}`);
}
