// A Temporal client for tests that need no server.
import { TemporalError } from '../../../src/temporal/source/errors.ts';
import type { TemporalClient } from '../../../src/temporal/source/temporal-client.ts';

/** A call that fails. */
export function failWith(condition: TemporalError['condition']): () => Promise<never> {
  return async () => {
    throw new TemporalError(condition, condition);
  };
}

/** A Temporal client with these calls; the others fail as unavailable. */
export function fakeClient(calls: Partial<TemporalClient>): TemporalClient {
  const unavailable = failWith('unavailable');
  return {
    namespace: 'default',
    describe: unavailable,
    list: unavailable,
    pendingTasks: unavailable,
    history: unavailable,
    query: unavailable,
    hasWorker: async () => true,
    hasResponded: () => true,
    openRuns: async () => new Map(),
    streamOffset: unavailable,
    pollStream: unavailable,
    decode: async (_namespace, payloads) => payloads,
    ping: unavailable,
    close: async () => {},
    ...calls,
  };
}
