// The schema, assembled from its parts.
import { builder } from './builder.ts';
import './queries.ts';
import './events.ts';
import './streams.ts';
import './stream-token.ts';

export const schema = builder.toSchema();
