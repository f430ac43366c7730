// Runs the checks one after another, so that they do not disturb each other.
import { messageOf } from '../../event/error-message.ts';
import { ExecstreamError } from '../../event/errors.ts';
import { failureReasonOf } from '../../telemetry/failure-reason.ts';
import { checkCors } from './check-cors.ts';
import { checkIdle } from './check-idle.ts';
import { checkPaths } from './check-paths.ts';
import { checkProtocol } from './check-protocol.ts';
import { checkResume } from './check-resume.ts';
import { checkAuthentication, checkClock, checkReadiness, checkVersion } from './check-server.ts';
import { checkStreaming } from './check-streaming.ts';
import type { Finding, Target } from './finding.ts';

type Check = (target: Target) => Promise<Finding[]>;

/** After the version, which shows that there is a server. */
const CHECKS: { readonly [name: string]: Check } = {
  parts: checkReadiness,
  authentication: checkAuthentication,
  clock: checkClock,
  streaming: checkStreaming,
  resume: checkResume,
  connections: checkProtocol,
  cors: checkCors,
  paths: checkPaths,
  idle: checkIdle,
};

/**
 * Yields the findings as they are made.
 * @throws ExecstreamError `CONFIG` if no execstream server can be reached
 */
export async function* runChecks(target: Target): AsyncGenerator<Finding, void, undefined> {
  yield* await checkVersion(target).catch((error) => {
    if (error instanceof ExecstreamError) throw error;
    const reason = failureReasonOf(error) ?? messageOf(error);
    throw new ExecstreamError('CONFIG', `cannot reach ${target.url}: ${reason}`, { cause: error });
  });
  for (const [check, run] of Object.entries(CHECKS)) {
    if (check === 'idle' && !target.isThorough) {
      yield { check, verdict: 'skipped', message: 'pass --thorough to wait for heartbeats, up to 90 s' };
      continue;
    }
    try {
      yield* await run(target);
    } catch (error) {
      const reason = failureReasonOf(error) ?? messageOf(error);
      yield { check, verdict: 'problem', message: `a request fails: ${reason}` };
    }
  }
}
