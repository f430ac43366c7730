// Rows by engines with arbitrary contents, written with SQL: the stream of a final row ends exactly once, and its state
// is 200 in REST and GraphQL.
import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createPrismaStore, type PrismaStore } from '../../src/execution/prisma-store.ts';
import { type App, createApp } from '../support/app.ts';
import { createDatabase, type Database, describePostgres } from '../support/postgres.ts';
import { propertyRuns } from '../support/property-runs.ts';

type Row = Readonly<Record<string, string | number | boolean | null>>;

const SEED = Number(process.env.ROWS_SEED ?? Date.now() % 1_000_000_000);
/** Rows of one run, whose streams are open concurrently. */
const ROWS = 25;

/** Text that Postgres can store. */
const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 40 }).map((each) => each.replaceAll('\0', '')),
  fc.constantFrom('', ' ', '..', 'ä b', 'x'.repeat(300_000), '😀'.repeat(5_000)),
);

const json = fc.oneof(
  { weight: 3, arbitrary: fc.json({ maxDepth: 4 }) },
  fc.constantFrom(
    ...[
      'null',
      'true',
      '0',
      '-0',
      '1e400',
      '1.5',
      '12345678901234567890',
      '""',
      '"text"',
      '[]',
      '{}',
      ' {} ',
    ],
    ...['{"a":1,"a":2}', '{"__proto__":{"a":1}}', '"\\u0000\\ud83d"', JSON.stringify('x'.repeat(70_000))],
    ...[
      '['.repeat(200) + ']'.repeat(200),
      `[${'1,'.repeat(150_000)}1]`,
      `{"a":${JSON.stringify('ä'.repeat(40_000))}}`,
    ],
  ),
);

const loose = fc.oneof(
  fc.integer(),
  fc.double(),
  fc.string({ maxLength: 9 }),
  fc.constant(null),
  fc.object({ maxDepth: 1 }),
);

const error = fc.oneof(
  json,
  fc
    .record({ message: loose, code: loose, name: loose }, { requiredKeys: [] })
    .map((each) => JSON.stringify(each)),
  fc.constantFrom(
    '{"message":"m","code":500}',
    '{"message":"m","code":{}}',
    JSON.stringify({ message: 'm'.repeat(200_000), code: 'c'.repeat(5_000) }),
  ),
);

const count = fc.oneof(loose, fc.nat(), fc.constantFrom(-1, 2 ** 31, 2 ** 53, 1e300));
const usage = fc.oneof(
  json,
  ...[
    ['inputTokens', 'outputTokens', 'totalTokens'],
    ['prompt_tokens', 'completion_tokens', 'total_tokens'],
    ['promptTokens', 'completionTokens', 'totalTokens'],
    ['input_tokens', 'output_tokens', 'cache_read_input_tokens'],
  ].map((names) =>
    fc
      .record(Object.fromEntries([...names, 'model', 'costUsd'].map((name) => [name, count])), {
        requiredKeys: [],
      })
      .map((each) => JSON.stringify(each)),
  ),
);

const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null });
const time = optional(
  fc.oneof(
    fc.constantFrom(
      'infinity',
      '-infinity',
      '0044-03-15 BC',
      '290000-01-01',
      '0001-01-01',
      '9999-12-31 23:59:59.9999',
    ),
    fc
      .date({ noInvalidDate: true, min: new Date('0001-01-01'), max: new Date('9999-12-31') })
      .map((each) => each.toISOString()),
  ),
);
const int = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const position = fc.oneof(
  fc.constant({ end_seq: null, end_epoch: null }),
  fc.record({ end_seq: int, end_epoch: text }),
);

const columns = (all: Record<string, fc.Arbitrary<Row[string]>>) => fc.record(all);

const content = {
  result: optional(json),
  error: optional(error),
  usage: optional(usage),
  input: optional(json),
  name: optional(text),
  workflow_id: optional(text),
  run_id: optional(text),
  // Longer ones do not fit into the index.
  parent_id: optional(text.map((each) => each.slice(0, 200))),
};

const inserted = columns({
  ...content,
  kind: fc.constantFrom('workflow', 'agent', 'task'),
  mode: optional(fc.constantFrom('TEXT', 'STRUCTURED')),
  status: fc.constantFrom('PENDING', 'RUNNING', 'WAITING', 'PAUSED'),
  attempt: optional(fc.integer({ min: 1, max: 2 ** 31 - 2 })),
  revision: optional(int),
  started_at: time,
});

const ended = fc
  .tuple(
    columns({
      ...content,
      status: fc.constantFrom('SUCCESS', 'FAILED', 'CANCELED', 'TIMED_OUT', 'TERMINATED'),
      revision: int,
      finished_at: time,
      result_omitted: fc.boolean(),
    }),
    position,
  )
  .map(([row, end]): Row => ({ ...row, ...end }));

/** A row, and its end: by a second statement while it is watched, or by the first. */
const cases = fc.record({
  row: inserted,
  end: ended,
  isEndedFirst: fc.boolean(),
  isNewAttempt: fc.boolean(),
});

describePostgres('rows with arbitrary contents', () => {
  let database: Database;
  let store: PrismaStore;
  let engine: pg.Pool;
  let app: App;
  let rows = 0;

  beforeAll(async () => {
    database = await createDatabase();
    store = createPrismaStore({ url: database.url }, { timeoutMs: 30_000 });
    await store.ready();
    engine = new pg.Pool({ connectionString: database.url, max: 5 });
    // `end()` does not wait until the server has closed the connections: dropping the database may terminate some.
    engine.on('error', () => {});
    app = createApp({ store });
  });
  afterAll(async () => {
    await app.close();
    await engine.end();
    await store.close();
    await database.drop();
  });

  const write = (statement: (names: string[]) => string, row: Row) =>
    engine.query(statement(Object.keys(row)), Object.values(row));
  const insert = (row: Row) =>
    write((names) => {
      const values = names.map((_, i) => `$${i + 1}`);
      return `INSERT INTO execstream.execution (${names}) VALUES (${values})`;
    }, row);
  const update = (id: string, row: Row) =>
    write((names) => {
      const changes = names.map((name, i) => `${name} = $${i + 1}`);
      return `UPDATE execstream.execution SET ${changes} WHERE id = '${id}'`;
    }, row);

  const path = (kind: string, id: string) => `/api/v0/executions/${kind}s/${id}`;

  const FIELDS = `id kind status mode attempt name parent { id } children { edges { node { id } } } workflowId runId input
    result resultOmitted error { message code } usage { inputTokens outputTokens totalTokens model costUsd }
    startedAt finishedAt durationMs lastCursor`;

  async function checkState(kind: string, id: string, status: string): Promise<void> {
    const rest = await app.request(path(kind, id));
    const state = await rest.json();
    expect([rest.status, state]).toEqual([200, expect.objectContaining({ id, status })]);
    const query = `{ execution(kind: ${kind.toUpperCase()}, id: "${id}") { ${FIELDS} } }`;
    const graphql = await app.request(`/graphql?query=${encodeURIComponent(query)}`);
    const body = (await graphql.json()) as { data: { execution: object }; errors?: unknown };
    expect(body.errors).toBeUndefined();
    expect(body.data.execution).toMatchObject({ id, status });
  }

  /** Every stream that is opened before or after the end has one terminal event, which is its last. */
  async function checkRow({
    row,
    end,
    isEndedFirst,
    isNewAttempt,
  }: typeof cases extends fc.Arbitrary<infer C> ? C : never) {
    rows += 1;
    const id = `row-${rows}`;
    const kind = String(row.kind);
    const attempt: Row = isNewAttempt ? { attempt: ((row.attempt as number | null) ?? 1) + 1 } : {};
    await insert({ ...row, id, ...(isEndedFirst && end) });
    const live = app.request(`${path(kind, id)}/stream?poll_ms=250`).then((response) => response.text());
    if (!isEndedFirst) await update(id, { ...end, ...attempt });
    for (const body of [await live, await (await app.request(`${path(kind, id)}/stream`)).text()]) {
      const types = [...body.matchAll(/^event: (\w+)$/gm)].map(([, type]) => type!);
      expect(types.filter((type) => ['complete', 'error'].includes(type))).toHaveLength(1);
      expect(types.at(-1)).toBe(end.status === 'SUCCESS' ? 'complete' : 'error');
    }
    await checkState(kind, id, String(end.status));
  }

  test('the stream of a final row ends exactly once, and its state is 200', async () => {
    const property = fc.asyncProperty(fc.array(cases, { minLength: ROWS, maxLength: ROWS }), async (all) => {
      await Promise.all(all.map(checkRow));
    });
    await fc.assert(property, { numRuns: propertyRuns(4), seed: SEED, endOnFailure: true });
  }, 300_000);

  test('lists of rows with arbitrary contents can be read to their end', async () => {
    let after = '';
    let read = 0;
    for (;;) {
      const query = `{ executions(first: 7, after: "${after}") { edges { node { ${FIELDS.replace(/(input|result|error \{.*?\})\s/g, '')} } } pageInfo { hasNextPage endCursor } } }`;
      const response = await app.request(`/graphql?query=${encodeURIComponent(query)}`);
      const { data, errors } = (await response.json()) as never as {
        data: { executions: { edges: []; pageInfo: { hasNextPage: boolean; endCursor: string } } };
        errors: unknown;
      };
      expect(errors).toBeUndefined();
      read += data.executions.edges.length;
      after = data.executions.pageInfo.endCursor;
      if (!data.executions.pageInfo.hasNextPage) break;
    }
    expect(read).toBe(rows);
  }, 60_000);
});
