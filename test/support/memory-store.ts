// An ExecutionStore in memory, for unit tests of other folders. It passes the contract of the real store.
import { randomUUID } from 'node:crypto';
import { ExecstreamError } from '../../src/event/errors.ts';
import { isFinal } from '../../src/event/events.ts';
import { isExecutionId } from '../../src/event/execution-id.ts';
import { checkKey } from '../../src/event/execution-key.ts';
import {
  checkAttemptStep,
  checkBegin,
  checkIds,
  checkPage,
  checkParentTenant,
  replacesRow,
  resolveAttempt,
} from '../../src/execution/attempt-rules.ts';
import { matchesIdPattern } from '../../src/execution/id-patterns.ts';
import { isOtherRow } from '../../src/execution/incarnation.ts';
import type {
  BeginExecution,
  Execution,
  ExecutionEnd,
  ExecutionFilter,
  ExecutionPage,
  ExecutionStore,
  ExecutionSummary,
  FieldContent,
  ListPosition,
} from '../../src/execution/store.ts';

export interface MemoryStore extends ExecutionStore {
  /** While true, every method rejects with `SOURCE_UNAVAILABLE`. */
  isAway: boolean;
}

/** Creates an empty store. */
export function createMemoryStore(): MemoryStore {
  const rows = new Map<string, Execution>();

  function write(row: Execution, change: Partial<Execution>): Execution {
    const written = { ...row, ...definedOnly(change), revision: row.revision + 1 };
    rows.set(row.id, written);
    return structuredClone(written);
  }

  function openAt(id: string, attempt: number): Execution | undefined {
    const row = rows.get(id);
    return row && row.attempt === attempt && !isFinal(row.status) ? row : undefined;
  }

  function checkAvailable(): void {
    if (store.isAway) throw new ExecstreamError('SOURCE_UNAVAILABLE', 'memory store is unavailable');
  }

  const store: MemoryStore = {
    isAway: false,

    async begin(wanted) {
      checkAvailable();
      checkBegin(wanted);
      const parent = rows.get(wanted.parentId ?? '');
      if (parent && wanted.tenant !== undefined) checkParentTenant(parent, wanted.tenant);
      const row = rows.get(wanted.id);
      if (row === undefined || replacesRow(row, wanted)) {
        checkAttemptStep(wanted.attempt ?? 1, 0);
        const created = firstRow(wanted);
        rows.set(created.id, created);
        return structuredClone(created);
      }
      if (resolveAttempt(row, wanted) === 'keep') {
        return wanted.expectsHeartbeats ? write(row, { expectsHeartbeats: true }) : structuredClone(row);
      }
      const { name, parentId, workflowId, runId, input, expectsHeartbeats } = structuredClone(wanted);
      const attempt = wanted.attempt ?? row.attempt + 1;
      const description = { name, parentId, workflowId, runId, input, expectsHeartbeats };
      return write(row, { attempt, status: 'RUNNING', ...description });
    },

    async undoBegin({ id, attempt, revision }, before) {
      checkAvailable();
      const row = openAt(id, attempt);
      if (row?.revision !== revision) return false;
      if (!before) return revision === 1 && rows.delete(id);
      if (before.revision !== revision - 1) return false;
      rows.set(id, { ...structuredClone(before), revision: revision + 1 });
      return true;
    },

    async abandon(id, attempt) {
      checkAvailable();
      const row = openAt(checkKey(id), attempt);
      if (row) write(row, { expectsHeartbeats: false });
    },

    async expectingHeartbeats(after = '', limit) {
      checkAvailable();
      const expecting = [...rows.values()].filter(
        (row) => row.expectsHeartbeats && !isFinal(row.status) && row.id > after,
      );
      const sorted = expecting.sort((a, b) => (a.id < b.id ? -1 : 1)).slice(0, limit);
      return sorted.map(({ id, kind, workflowId }) => definedOnly({ id, kind, workflowId }));
    },

    async openWorkflows(after = '', limit) {
      checkAvailable();
      const isOpen = (row: Execution) => row.kind === 'workflow' && row.workflowId && !row.finishedAt;
      const opened = [...rows.values()].filter((row) => isOpen(row) && row.id > after);
      return opened
        .sort((a, b) => (a.id < b.id ? -1 : 1))
        .slice(0, limit)
        .map(summaryOf);
    },

    async setStatus(id, attempt, status) {
      checkAvailable();
      const row = openAt(checkKey(id), attempt);
      if (row) write(row, { status });
      return row !== undefined;
    },

    async finish(id, attempt, end: ExecutionEnd) {
      checkAvailable();
      const row = openAt(checkKey(id), attempt);
      if (row) return write(row, { finishedAt: new Date(), ...structuredClone(end) });
      return structuredClone(rows.get(id));
    },

    async markEnd(id, { seq, epoch }) {
      checkAvailable();
      const row = rows.get(checkKey(id));
      const isChange = row?.end?.seq !== seq || row.end.epoch !== epoch;
      if (row && isChange && isFinal(row.status)) write(row, { end: { seq, epoch } });
    },

    async get(id) {
      checkAvailable();
      return structuredClone(rows.get(checkKey(id)));
    },

    async statesAfter(id, revision, _limit, incarnation) {
      checkAvailable();
      const row = rows.get(checkKey(id));
      if (!row) return undefined;
      return row.revision !== revision || isOtherRow(row, { incarnation }) ? [structuredClone(row)] : [];
    },

    async list(query) {
      checkAvailable();
      checkPage(query);
      const { kind, status, after } = query;
      const matching = [...rows.values()].filter(
        (row) =>
          (kind === undefined || row.kind === kind) &&
          (status === undefined || row.status === status) &&
          isAdmitted(row, query) &&
          (after === undefined || toPosition(row, after) < 0),
      );
      return pageOf(
        matching.sort((a, b) => byAge(b, a)),
        query.first,
      );
    },

    async getMany(ids) {
      checkAvailable();
      checkIds(ids);
      return [...new Set(ids)].flatMap((id) => rows.get(id) ?? []).map(summaryOf);
    },

    async childrenOf(parentIds, query) {
      checkAvailable();
      checkIds(parentIds);
      checkPage(query);
      const { first, after } = query;
      const pages = parentIds.map((parentId) => {
        const matching = [...rows.values()].filter(
          (row) =>
            row.parentId === parentId &&
            isAdmitted(row, query) &&
            (after === undefined || toPosition(row, after) > 0),
        );
        return [parentId, pageOf(matching.sort(byAge), first)] as const;
      });
      return new Map(pages);
    },

    async countChildren(parentIds, filter) {
      checkAvailable();
      checkIds(parentIds);
      const isChildOf = (id: string) => (row: Execution) => row.parentId === id && isAdmitted(row, filter);
      return new Map(parentIds.map((id) => [id, [...rows.values()].filter(isChildOf(id)).length]));
    },

    async contents(ids, field, maxBytes) {
      checkAvailable();
      checkIds(ids);
      const contents = new Map<string, FieldContent>();
      let total = 0;
      for (const id of [...new Set(ids)].sort()) {
        const value = structuredClone(rows.get(id)?.[field]);
        if (value === undefined) continue;
        const bytes = Buffer.byteLength(JSON.stringify(value));
        total += bytes;
        contents.set(id, total <= maxBytes ? { bytes, value } : { bytes, isOmitted: true });
      }
      return contents;
    },

    async ping() {
      checkAvailable();
    },

    async close() {
      store.isAway = true;
    },
  };
  return store;
}

function firstRow(request: BeginExecution): Execution {
  const { attempt = 1, startedAt = new Date(), ...rest } = structuredClone(request);
  const identity = { revision: 1, incarnation: randomUUID(), startedAt };
  return definedOnly({ ...rest, attempt, status: 'RUNNING' as const, ...identity });
}

function pageOf(sorted: readonly Execution[], first: number): ExecutionPage {
  return { executions: sorted.slice(0, first).map(summaryOf), hasNextPage: sorted.length > first };
}

function summaryOf(row: Execution): ExecutionSummary {
  const { input: _, result: __, error: ___, ...summary } = structuredClone(row);
  return summary;
}

function isAdmitted({ id, tenant }: Execution, { tenants, ids }: ExecutionFilter): boolean {
  if (!isExecutionId(id)) return false;
  return (!tenants || tenants.includes(tenant ?? null)) && (!ids || matchesIdPattern(ids, id));
}

/** Compares an execution with a position, by age: negative if the execution is older. */
function toPosition(row: Execution, { startedAt, id }: ListPosition): number {
  if (id !== undefined) return byAge(row, { ...row, startedAt, id });
  return row.startedAt.getTime() - startedAt.getTime();
}

/** Oldest first, then by id. */
function byAge(a: Execution, b: Execution): number {
  return a.startedAt.getTime() - b.startedAt.getTime() || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}

function definedOnly<T extends object>(fields: T): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T;
}
