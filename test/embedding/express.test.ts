// Express 5, with `express.json()` and `compression()` before execstream.
import { start } from '../../examples/embedding/express.ts';
import { describeEmbedding } from './suite.ts';

describeEmbedding('Express', start);
