// An execution whose publisher may fall silent, and servers that monitor it.
import { createMemoryLog } from '../../src/log/memory.ts';
import { createEndReconciler } from '../../src/source/end-reconciler.ts';
import { createLivenessMonitor, type LivenessMonitorOptions } from '../../src/source/liveness-monitor.ts';
import { content } from '../support/content.ts';
import { createMemoryStore } from '../support/memory-store.ts';

export const ID = 'agent-1';
export const MINUTE_MS = 60_000;

/** A published open execution and a number of servers. */
export async function setUp(options: Partial<LivenessMonitorOptions> = {}, servers = 1) {
  const log = createMemoryLog();
  const store = createMemoryStore();
  await store.begin({ id: ID, kind: 'agent', mode: 'TEXT', workflowId: 'wf-1' });
  await log.open(ID, { numbering: 'auto', publisher: 'p', attempt: 1 });
  await log.recordHeartbeat(ID);
  const reconcileEnd = createEndReconciler({ log, store, content, graceMs: 0 }).reconcileEnd;
  const all = Array.from({ length: servers }, () =>
    createLivenessMonitor({ log, store, reconcileEnd, ...options }),
  );
  const types = async () => (await log.read(ID, 0, 100))?.events.map(({ type }) => type);
  return { log, store, all, first: all[0]!, types };
}
