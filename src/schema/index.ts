// The schema, assembled from its parts.
import { builder } from './builder.ts';
import { asSubgraph } from './federation.ts';
import './queries.ts';
import './events.ts';
import './streams.ts';
import './stream-token.ts';

/** The schema for people and their tools. */
export const apiSchema = builder.toSchema();

/** The schema that is served: with the fields that gateways use. */
export const schema = asSubgraph(apiSchema);
