// An engine that writes one row, and relays that follow it, over the memory log and the memory store, with short real
// times.
import { onTestFinished } from 'vitest';
import { ExecstreamError } from '../../src/event/errors.ts';
import type { ExecutionEvent } from '../../src/event/events.ts';
import type { Execution } from '../../src/execution/store.ts';
import type { EventLog } from '../../src/log/log.ts';
import { createMemoryLog } from '../../src/log/memory.ts';
import { createRowSource } from '../../src/source/row-source.ts';
import { content } from '../support/content.ts';
import { createMemoryStore, type MemoryStore } from '../support/memory-store.ts';
import { audience } from './audience.ts';

export const ID = 'agent-1';
export const TIMES = { leaseMs: 300, standbyMs: 40, publishedMs: 60 };

/** An engine that writes a row, and counts the polls of it. */
function createEngine(store: MemoryStore) {
  let row: Execution = {
    id: ID,
    kind: 'agent',
    mode: 'TEXT',
    status: 'RUNNING',
    attempt: 1,
    revision: 1,
    startedAt: new Date(),
  };
  const engine = {
    polls: 0,
    set(change: Partial<Execution>): void {
      const isEnd = change.status === 'SUCCESS' && { finishedAt: new Date() };
      row = { ...row, ...change, ...isEnd, revision: row.revision + 1 };
    },
    get row() {
      return row;
    },
  };
  const checkAvailable = (): void => {
    if (store.isAway) throw new ExecstreamError('SOURCE_UNAVAILABLE', 'store is unavailable');
  };
  store.get = async () => {
    checkAvailable();
    return structuredClone(row);
  };
  store.statesAfter = async (_, revision) => {
    engine.polls += 1;
    checkAvailable();
    return row.revision > revision ? [structuredClone(row)] : [];
  };
  store.markEnd = async (_, end) => {
    checkAvailable();
    engine.set({ end });
  };
  return engine;
}

export function setUp(log: EventLog = createMemoryLog()) {
  const store = createMemoryStore();
  const engine = createEngine(store);
  const source = createRowSource({ log, store, content, ...TIMES });
  const events = async (): Promise<readonly ExecutionEvent[]> => (await log.read(ID, 0, 1_000))?.events ?? [];
  const types = async () => (await events()).map(({ type }) => type);
  const text = async () =>
    (await events()).reduce((joined, { type, data }) => {
      if (type === 'reset') return '';
      return type === 'llm_chunk' ? joined + (data as { content: string }).content : joined;
    }, '');
  const follow = (pollMs = 20) => {
    const viewers = audience(pollMs);
    const stop = createRowSource({ log, store, content, ...TIMES }).follow(ID, viewers);
    onTestFinished(stop);
    return { viewers, stop };
  };
  return { log, store, engine, source, events, types, text, follow };
}
