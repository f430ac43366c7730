// The schema of an execution's state.

import type { z } from 'zod';
import { USAGE } from '../../event/validation.ts';
import { MAX_ATTEMPT } from '../../execution/attempt-rules.ts';
import { type JsonSchema, opened, toJsonSchema } from './json-schema.ts';
import { EVENT_CURSOR, EXECUTION_ID } from './schemas.ts';

const nullable = (type: string) => ({ type: [type, 'null'] });

const STATUS = {
  enum: [
    'PENDING',
    'RUNNING',
    'WAITING',
    'PAUSED',
    'SUCCESS',
    'FAILED',
    'CANCELED',
    'TIMED_OUT',
    'TERMINATED',
  ],
};

const RUN_SCHEMA: JsonSchema = {
  type: 'object',
  required: ['runId', 'status', 'startedAt', 'finishedAt'],
  properties: {
    runId: { type: 'string', description: 'For `run_id`.' },
    status: { ...STATUS, description: 'A run that continued as new is `SUCCESS`.' },
    startedAt: { type: 'string', format: 'date-time' },
    finishedAt: { ...nullable('string'), format: 'date-time' },
  },
};

/** The response of `GET …/{id}`. */
export const EXECUTION_SCHEMA: JsonSchema = {
  type: 'object',
  required: [
    ...[
      'id',
      'kind',
      'status',
      'mode',
      'attempt',
      'name',
      'parent',
      'children',
      'childrenCursor',
      'childrenCount',
      'workflowId',
    ],
    ...[
      'runId',
      'runs',
      'runsCursor',
      'input',
      'result',
      'resultOmitted',
      'error',
      'usage',
      'startedAt',
      'finishedAt',
      'durationMs',
    ],
    'lastCursor',
  ],
  properties: {
    id: EXECUTION_ID,
    kind: { enum: ['WORKFLOW', 'AGENT', 'TASK'] },
    status: STATUS,
    mode: { enum: ['TEXT', 'STRUCTURED'] },
    attempt: { type: 'integer', minimum: 1, maximum: MAX_ATTEMPT },
    name: nullable('string'),
    parent: { ...nullable('string'), description: 'The id of the parent execution.' },
    children: {
      type: 'array',
      items: { type: 'string' },
      maxItems: 100,
      description: 'The ids of a page of child executions, oldest first: the first 100, or as requested.',
    },
    childrenCursor: {
      ...nullable('string'),
      description:
        'The cursor of the remaining children, for `children_after`, or `after` of `children` over GraphQL; null if there are none.',
    },
    childrenCount: {
      ...nullable('integer'),
      minimum: 0,
      description: 'The number of all child executions; null if it is not known.',
    },
    workflowId: nullable('string'),
    runId: nullable('string'),
    runs: {
      ...nullable('array'),
      items: RUN_SCHEMA,
      maxItems: 100,
      description:
        "A page of the runs of a Temporal workflow, newest first, as Temporal's visibility has them; null if it was not requested.",
    },
    runsCursor: {
      ...nullable('string'),
      description: 'The cursor of the remaining runs, for `runs_after`; null if there are none.',
    },
    input: { description: 'Any JSON.' },
    result: { description: 'The complete text or value; null while there is none.' },
    resultOmitted: {
      type: 'boolean',
      description: 'The execution ended with a result that was not stored; `result` is null.',
    },
    error: {
      type: ['object', 'null'],
      properties: { message: { type: 'string' }, code: nullable('string') },
    },
    usage: stateOf(USAGE),
    startedAt: { type: 'string', format: 'date-time' },
    finishedAt: { ...nullable('string'), format: 'date-time' },
    durationMs: { ...nullable('integer'), minimum: 0 },
    lastCursor: { ...EVENT_CURSOR, ...nullable('string'), description: 'The cursor of the last event.' },
  },
};

/** An object in a GraphQL result: nullable, with null for each absent field. */
function stateOf(schema: z.ZodType): JsonSchema {
  const { properties, required, ...rest } = opened(toJsonSchema(schema)) as {
    properties: Record<string, JsonSchema>;
    required: string[];
  };
  const all = Object.entries(properties).map(([name, field]) =>
    required.includes(name) ? [name, field] : [name, { ...field, type: [field.type, 'null'] }],
  );
  return { ...rest, type: ['object', 'null'], properties: Object.fromEntries(all), required };
}
