// Conversion of the zod schemas that validate requests to the JSON Schema of the OpenAPI document.
import { z } from 'zod';

export type JsonSchema = { [keyword: string]: unknown };

/** Converts a zod schema to JSON Schema. References, which zod uses for arbitrary JSON, become the empty schema. */
export function toJsonSchema(schema: z.ZodType): JsonSchema {
  const { $schema, $defs, ...rest } = z.toJSONSchema(schema) as JsonSchema;
  return withoutRefs(rest) as JsonSchema;
}

/** A schema that allows additional fields, at every level. */
export function opened(schema: JsonSchema): JsonSchema {
  return withAdditional(schema) as JsonSchema;
}

function withAdditional(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withAdditional);
  if (typeof schema !== 'object' || schema === null) return schema;
  const entries = Object.entries(schema).filter(
    ([key, value]) => key !== 'additionalProperties' || value !== false,
  );
  return Object.fromEntries(entries.map(([key, value]) => [key, withAdditional(value)]));
}

function withoutRefs(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withoutRefs);
  if (typeof schema !== 'object' || schema === null) return schema;
  if ('$ref' in schema) return {};
  return Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, withoutRefs(value)]));
}
