// The floors of src/: a file imports its own folder or lower floors (ARCHITECTURE.md, "Floors").

/**
 * The floor of each folder of src/. A subfolder with its own entry has its own floor. A folder without an entry is
 * an error: decide where it belongs.
 */
export const FLOORS: Readonly<Record<string, number>> = {
  async: 0,
  http: 0,
  event: 1,
  telemetry: 2,
  client: 2,
  redact: 3,
  redis: 3,
  execution: 3,
  'temporal/shared': 3,
  'temporal/workflow': 4,
  coordination: 4,
  log: 5,
  lifecycle: 5,
  publish: 6,
  source: 6,
  temporal: 7,
  tail: 7,
  sse: 7,
  stream: 8,
  schema: 9,
  graphql: 10,
  rest: 10,
  server: 11,
  cli: 12,
};

/** Folders that run without Node's modules and without zod, in Temporal's sandbox or in browsers. */
export const WITHOUT_NODE: readonly string[] = [
  'async',
  'telemetry',
  'event',
  'client',
  'temporal/shared',
  'temporal/workflow',
];

/** The only file of event/ that may load zod; no other file of event/ may load it. */
export const SCHEMA_FILE = 'event/validation.ts';

/** The only file that may read process.env. */
export const CONFIG_FILE = 'server/config/config.ts';

/** Packages that users of an entry do not need, so that it may not load them. */
export const FORBIDDEN_TO_ENTRIES: Readonly<Record<string, RegExp>> = {
  'worker.ts': /^(graphql(-.+)?|@graphql-yoga\/.+|@pothos\/.+)$/,
  'client/index.ts': /./,
  'client/tabs.ts': /./,
  'client/graphql/apollo.ts': /./,
  'client/graphql/graphql-sse.ts': /./,
  'client/graphql/relay.ts': /./,
  'client/graphql/urql.ts': /./,
  // Edge runtimes have no Node: zod alone.
  'worker-http.ts': /^(?!zod(\/|$))/,
};

/** The maximum number of lines per file; longer files must be split. */
export const MAX_LINES = 300;
