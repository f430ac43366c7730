// The reads of one GraphQL operation: batched, queued fairly between callers, and stopped by the operation's limits, its
// timeout, or when the client disconnects.
import { ExecstreamError } from '../event/errors.ts';
import type { ExecutionKind } from '../event/events.ts';
import { type DiscoveryQuery, rejectWorkflowFilters, storeQueryOf } from '../execution/discovery.ts';
import { matchesIdPattern, patternFor } from '../execution/id-patterns.ts';
import { type Caller, callerKey, type Permission } from '../execution/permission.ts';
import type {
  ChildrenQuery,
  ContentField,
  Execution,
  ExecutionFilter,
  ExecutionPage,
  ExecutionSummary,
  FieldContent,
} from '../execution/store.ts';
import type { LogHead } from '../log/log.ts';
import { BatchLoader } from './batch-loader.ts';
import { ContentBudget } from './content-budget.ts';
import type { OperationLimits, ReadQueues } from './operation-limits.ts';
import { OperationStop } from './operation-stop.ts';
import type { SchemaServices } from './services.ts';

/** Rows read by one statement. */
const MAX_ROWS = 1_000;
/** Log heads read concurrently. */
const MAX_HEADS = 100;
/** Lists of runs that one operation may read: each is a request to Temporal. */
const MAX_RUN_LISTS = 10;
/** Pages that one operation may read in place of executions that a policy has hidden. */
const MAX_EXTRA_PAGES = 50;

export interface OperationReadsOptions {
  readonly services: Pick<SchemaServices, 'store' | 'log' | 'tails' | 'authorize' | 'discover'>;
  readonly queues: ReadQueues;
  readonly limits: OperationLimits;
  readonly caller: Caller;
  readonly request: Pick<Request, 'signal'>;
}

export class OperationReads {
  readonly #options: OperationReadsOptions;
  readonly #stop: OperationStop;
  readonly #rows: BatchLoader<ExecutionSummary>;
  readonly #heads: BatchLoader<LogHead>;
  readonly #contents: BatchLoader<FieldContent>;
  readonly #budget: ContentBudget;
  readonly #children = new Map<string, BatchLoader<ExecutionPage>>();
  readonly #counts = new Map<string, BatchLoader<number>>();
  readonly #permissions = new Map<string, Promise<Permission>>();
  #executions = 0;
  #runLists = 0;
  #extraPages = 0;

  constructor(options: OperationReadsOptions) {
    const { store, log } = options.services;
    this.#options = options;
    this.#stop = new OperationStop(options.limits.timeoutMs, options.request.signal);
    this.#budget = new ContentBudget(options.limits.contentBytes);
    this.#rows = new BatchLoader(async (ids) => {
      const rows = await this.#read(() => store.getMany(ids));
      return new Map(rows.map((row) => [row.id, row]));
    }, MAX_ROWS);
    this.#heads = new BatchLoader(async (ids) => {
      this.#stop.signal.throwIfAborted();
      const heads = await Promise.all(ids.map(async (id) => [id, await log.head(id)] as const));
      return new Map(heads.flatMap(([id, head]) => (head ? [[id, head]] : [])));
    }, MAX_HEADS);
    this.#contents = new BatchLoader(
      (keys) =>
        this.#budget.load(keys, (ids, field, maxBytes) =>
          this.#read(() => store.contents(ids, field, maxBytes)),
        ),
      MAX_ROWS,
    );
  }

  /** Why the operation has failed: a limit, the timeout, or an unavailable store. */
  get failure(): ExecstreamError | undefined {
    return this.#stop.failure;
  }

  /** Aborted when the operation has failed, with the failure as its reason. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  /** Starts the timeout, and stops the operation when the client disconnects. */
  start(): void {
    this.#stop.start();
  }

  /** Called when the operation has its result. */
  end(): void {
    this.#stop.end();
  }

  /** Reads an execution by id. */
  execution(id: string): Promise<ExecutionSummary | undefined> {
    return this.#rows.load(id);
  }

  /**
   * Reads an execution of a kind by id. The row of a workflow is that of its latest run in Temporal, or of a run of it.
   * @throws ExecstreamError as `Tails.find`
   */
  async find(kind: ExecutionKind, id: string, runId?: string): Promise<ExecutionSummary | undefined> {
    if (runId !== undefined) return this.#findInTemporal(kind, id, runId);
    const row = await this.execution(id);
    if (kind === 'workflow' && (!row || row.workflowId !== undefined)) return this.#findInTemporal(kind, id);
    return row?.kind === kind ? row : undefined;
  }

  /** Reads an execution of any kind by id. Creates the row of a workflow that only Temporal knows. */
  async findAny(id: string): Promise<ExecutionSummary | undefined> {
    return (await this.execution(id)) ?? (await this.#findInTemporal('workflow', id));
  }

  #findInTemporal(kind: ExecutionKind, executionId: string, runId?: string): Promise<Execution | undefined> {
    const { services, caller } = this.#options;
    return this.#readTemporal(() => services.tails.find({ kind, executionId, runId, caller }));
  }

  #readTemporal<T>(read: () => Promise<T>): Promise<T> {
    const { queues, caller } = this.#options;
    return this.#stop.guard(queues.workflows.run(callerKey(caller), read, this.#stop.signal));
  }

  /**
   * Reads a list of runs from Temporal.
   * @throws ExecstreamError `BAD_USER_INPUT` if the operation has read too many lists
   */
  runList<T>(read: () => Promise<T>): Promise<T> {
    this.#runLists += 1;
    if (this.#runLists <= MAX_RUN_LISTS) return this.#readTemporal(read);
    const message = `runs: expected up to ${MAX_RUN_LISTS} lists in one operation; request fewer executions`;
    throw this.#stop.fail(new ExecstreamError('BAD_USER_INPUT', message));
  }

  /**
   * Reads a page of a list, which may contain workflows that nobody has viewed.
   * @throws ExecstreamError `BAD_USER_INPUT` for a filter that this server does not support
   */
  async list(query: DiscoveryQuery): Promise<ExecutionPage> {
    const { store, discover } = this.#options.services;
    if (!discover) rejectWorkflowFilters(query);
    const found = discover && (await this.#readTemporal(() => discover(query)));
    const page = storeQueryOf(query);
    return this.#read(() => store.list(found ? { ...page, ids: namedIn(found, page) } : page));
  }

  /** Reads a page of an execution's children. Parents with equal queries share a statement. */
  async children(parentId: string, query: ChildrenQuery): Promise<ExecutionPage> {
    const group = JSON.stringify(query);
    let loader = this.#children.get(group);
    if (!loader) {
      const { store } = this.#options.services;
      loader = new BatchLoader(
        (parentIds) => this.#read(() => store.childrenOf(parentIds, query)),
        Math.max(1, Math.floor(MAX_ROWS / (query.first + 1))),
      );
      this.#children.set(group, loader);
    }
    return (await loader.load(parentId)) ?? { executions: [], hasNextPage: false };
  }

  /** Counts an execution's children; null if the store does not count them. */
  async childrenCount(parentId: string, filter: ExecutionFilter): Promise<number | null> {
    const { store } = this.#options.services;
    if (!store.countChildren) return null;
    const group = JSON.stringify(filter);
    const known = this.#counts.get(group);
    const read = (ids: readonly string[]) => this.#read(() => store.countChildren!(ids, filter));
    const loader = known ?? new BatchLoader(read, MAX_ROWS);
    this.#counts.set(group, loader);
    return (await loader.load(parentId)) ?? 0;
  }

  /** Reads one of the large fields of an execution; null if it is not set. */
  async content(id: string, field: ContentField): Promise<unknown> {
    const content = await this.#contents.load(ContentBudget.key(field, id));
    if (!content) return null;
    if (!this.#budget.admits(id, field, content)) {
      const { contentBytes } = this.#options.limits;
      const message = `the result exceeds ${contentBytes} bytes of input, result and error; select them for fewer executions`;
      throw this.#stop.fail(new ExecstreamError('BAD_USER_INPUT', message));
    }
    return content.value;
  }

  /** Reads the head of an execution's log. */
  head(id: string): Promise<LogHead | undefined> {
    return this.#heads.load(id);
  }

  /** What the caller may read of an execution. The policy is evaluated once for each. */
  permission(row: ExecutionSummary): Promise<Permission> {
    let permission = this.#permissions.get(row.id);
    if (!permission) {
      const { services, caller } = this.#options;
      permission = Promise.resolve(services.authorize(caller, row));
      this.#permissions.set(row.id, permission);
    }
    return permission;
  }

  /** Returns the executions that the caller may read. */
  async readable<R extends ExecutionSummary>(rows: readonly R[]): Promise<R[]> {
    const permissions = await Promise.all(rows.map((row) => this.permission(row)));
    return rows.filter((_, i) => permissions[i]?.read === 'granted');
  }

  /**
   * Counts executions that the result will hold.
   * @throws ExecstreamError `BAD_USER_INPUT` if they exceed the limit
   */
  count(executions: number): void {
    const { limits } = this.#options;
    this.#executions += executions;
    if (this.#executions <= limits.executions) return;
    const message = `the result exceeds ${limits.executions} executions; request smaller pages or fewer levels`;
    throw this.#stop.fail(new ExecstreamError('BAD_USER_INPUT', message));
  }

  /** Counts a page that is read in place of hidden executions, and returns whether it may be read. */
  takeExtraPage(): boolean {
    this.#extraPages += 1;
    return this.#extraPages <= MAX_EXTRA_PAGES;
  }

  #read<T>(read: () => Promise<T>): Promise<T> {
    const { queues, caller } = this.#options;
    return this.#stop.guard(queues.database.run(callerKey(caller), read, this.#stop.signal));
  }
}

/** The patterns of executions that a caller may read by name. */
function namedIn(ids: readonly string[], { ids: patterns }: ExecutionFilter): string[] {
  return ids.filter((id) => !patterns || matchesIdPattern(patterns, id)).map(patternFor);
}
