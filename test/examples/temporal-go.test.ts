// The workflow of examples/temporal-go streams itself to a server that watches Temporal.
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ROOT } from '../docs/blocks.ts';
import { describeGo, GO_PATH } from '../support/go.ts';
import { describeQueryWorker } from './query-worker.ts';

const FOLDER = 'examples/temporal-go';

describeGo("with Temporal's Go SDK", () => {
  const bin = mkdtempSync(join(tmpdir(), 'execstream-go-'));
  const program = join(bin, 'worker');
  // As `go run`, whose child would outlive a SIGKILL. The first build downloads and compiles the SDK.
  beforeAll(
    () => promisify(execFile)(GO_PATH!, ['build', '-o', program, '.'], { cwd: join(ROOT, FOLDER) }),
    300_000,
  );
  afterAll(() => rmSync(bin, { recursive: true, force: true }));

  describeQueryWorker({ folder: FOLDER, command: () => [program] });
});

test('the README starts the worker that the test builds', () => {
  expect(readFileSync(join(ROOT, FOLDER, 'README.md'), 'utf8')).toContain(`go run -C ${FOLDER} .`);
});
