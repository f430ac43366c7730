// A Temporal server for the demo: the in-memory dev server of the Temporal CLI, which ends with the demo.

import { TemporalServer } from '../../scripts/temporal.ts';
import { findPart, TEMPORAL } from '../../scripts/test-services.ts';
import { ExecstreamError } from '../../src/worker.ts';

/**
 * Starts a dev server.
 * @throws ExecstreamError `BAD_USER_INPUT` if the CLI is not installed.
 */
export async function startDevServer(): Promise<TemporalServer> {
  const binary = findPart(TEMPORAL);
  if (binary === undefined) {
    const reason = 'no Temporal CLI was found to start a server';
    throw new ExecstreamError(
      'BAD_USER_INPUT',
      `--temporal: ${reason}; put "temporal" on PATH, or use a running server: TEMPORAL_ADDRESS=127.0.0.1:7233`,
    );
  }
  return TemporalServer.start({ binary });
}
