// A Temporal server for the demo: the dev server of the Temporal CLI, in memory, which ends with the demo.

import { TemporalServer } from '../../scripts/temporal.ts';
import { findPart, TEMPORAL } from '../../scripts/test-services.ts';
import { ExecstreamError } from '../../src/worker.ts';

/**
 * Starts a dev server.
 * @throws ExecstreamError `BAD_USER_INPUT` where there is no CLI to start it.
 */
export async function startDevServer(): Promise<TemporalServer> {
  const binary = findPart(TEMPORAL);
  if (binary === undefined) {
    const why = 'no Temporal CLI was found to start a server with';
    throw new ExecstreamError(
      'BAD_USER_INPUT',
      `--temporal: ${why}; put "temporal" on PATH, or name a server that runs: TEMPORAL_ADDRESS=127.0.0.1:7233`,
    );
  }
  return TemporalServer.start({ binary });
}
