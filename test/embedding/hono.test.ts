// Hono on Node: requests and responses of the web platform.
import { start } from '../../examples/embedding/hono.ts';
import { describeEmbedding } from './suite.ts';

describeEmbedding('Hono', start);
