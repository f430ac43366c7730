// Fastify 5, in a scope without parsers.
import { start } from '../../examples/embedding/fastify.ts';
import { describeEmbedding } from './suite.ts';

describeEmbedding('Fastify', start);
