// The schema, put together from its parts.
import { builder } from './builder.ts';
import './queries.ts';
import './events.ts';
import './workflow-stream.ts';
import './agent-stream.ts';
import './task-stream.ts';
import './stream-token.ts';

export const schema = builder.toSchema();
