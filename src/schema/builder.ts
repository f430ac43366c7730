// The Pothos builder, and the scalars and enums that all parts of the schema share.
import SchemaBuilder from '@pothos/core';
import { GraphQLError } from 'graphql';
import { type Cursor, parseCursor } from '../event/cursor.ts';
import { isExecstreamError } from '../event/errors.ts';
import { EVENT_TYPES, EXECUTION_KINDS, type ExecutionStatus, type Usage } from '../event/events.ts';
import type { RequestContext } from './context.ts';

export const builder = new SchemaBuilder<{
  Context: RequestContext;
  DefaultFieldNullability: false;
  Scalars: {
    ID: { Input: string; Output: string };
    Cursor: { Input: Cursor; Output: string };
    DateTime: { Input: string; Output: Date | string };
    JSON: { Input: unknown; Output: unknown };
  };
}>({ defaultFieldNullability: false });

builder.scalarType('Cursor', {
  description: 'A position in the log of an execution: `<seq>-<epoch>`, or `<seq>` for any epoch.',
  serialize: (cursor) => cursor,
  parseValue: (value) => {
    try {
      return parseCursor(typeof value === 'string' ? value : JSON.stringify(value));
    } catch (error) {
      if (!isExecstreamError(error)) throw error;
      throw new GraphQLError(error.message, { originalError: error, extensions: { code: error.code } });
    }
  },
});

builder.scalarType('DateTime', {
  description: 'RFC 3339, with milliseconds, in UTC.',
  serialize: (at) => (at instanceof Date ? at.toISOString() : at),
});

builder.scalarType('JSON', { description: 'Any JSON value.', serialize: (value) => value });

/** Enum values are the upper-case forms of the words that the rest of the code uses. */
function upperCase<T extends string>(words: readonly T[]): Record<Uppercase<T>, { value: T }> {
  const values = words.map((word) => [word.toUpperCase(), { value: word }]);
  return Object.fromEntries(values) as Record<Uppercase<T>, { value: T }>;
}

export const EventTypeEnum = builder.enumType('EventType', { values: upperCase(EVENT_TYPES) });
export const ExecutionKindEnum = builder.enumType('ExecutionKind', { values: upperCase(EXECUTION_KINDS) });
export const ExecutionModeEnum = builder.enumType('ExecutionMode', {
  values: ['TEXT', 'STRUCTURED'] as const,
});

const STATUSES: Record<ExecutionStatus, object> = {
  PENDING: {},
  RUNNING: {},
  WAITING: {},
  PAUSED: {},
  SUCCESS: {},
  FAILED: {},
  CANCELED: {},
  TIMED_OUT: {},
  TERMINATED: {},
};
export const ExecutionStatusEnum = builder.enumType('ExecutionStatus', {
  values: Object.keys(STATUSES) as ExecutionStatus[],
});

const COUNT = 'An integer from 0 to 2^53 - 1.';

export const UsageObject = builder.objectRef<Usage>('ExecutionUsage').implement({
  description: 'Tokens spent so far.',
  fields: (t) => ({
    // Float, because Int has 32 bits: these integers are exact up to 2^53 - 1 (decision 0033).
    inputTokens: t.exposeFloat('inputTokens', { description: COUNT }),
    outputTokens: t.exposeFloat('outputTokens', { description: COUNT }),
    totalTokens: t.exposeFloat('totalTokens', { description: COUNT }),
    model: t.exposeString('model', { nullable: true }),
    costUsd: t.exposeFloat('costUsd', { nullable: true }),
  }),
});
