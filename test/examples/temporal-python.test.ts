// The workflow of examples/temporal-python streams itself to a server that watches Temporal.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../docs/blocks.ts';
import { describeTemporalPython, TEMPORAL_PYTHON_PATH } from '../support/temporal-python.ts';
import { describeQueryWorker } from './query-worker.ts';

const FOLDER = 'examples/temporal-python';

describeTemporalPython("with Temporal's Python SDK", () => {
  describeQueryWorker({ folder: FOLDER, command: () => [TEMPORAL_PYTHON_PATH!, 'worker.py'] });
});

test('the README starts the worker that the test runs', () => {
  expect(readFileSync(join(ROOT, FOLDER, 'README.md'), 'utf8')).toContain(`python3 ${FOLDER}/worker.py`);
});
