// The floors of src/: a file imports its own folder or lower floors (docs, "Layout").

/** The floor of each folder of src/. A folder that is not here has no place yet: give it one. */
export const FLOORS: Readonly<Record<string, number>> = {
  async: 0,
  event: 1,
  log: 2,
  execution: 2,
  workflow: 2,
  client: 2,
  publish: 3,
  relay: 3,
  tail: 3,
  sse: 3,
  schema: 4,
  graphql: 5,
  rest: 5,
  server: 6,
  cli: 7,
};

/** Folders that run where Node and zod are not: Temporal's sandbox, and browsers. */
export const WITHOUT_NODE: readonly string[] = ['async', 'event', 'workflow', 'client'];

/** The one file of event/ that may load zod; nothing else of event/ may load that file. */
export const SCHEMA_FILE = 'event/validation.ts';

/** The one file that may read process.env. */
export const CONFIG_FILE = 'server/config/config.ts';

/** Packages that an entry's users do not need, so that it may not load them. */
export const FORBIDDEN_TO_ENTRIES: Readonly<Record<string, RegExp>> = {
  'worker.ts': /^(graphql(-.+)?|@graphql-yoga\/.+|@pothos\/.+)$/,
};

/** Above this a file has become two. */
export const MOST_LINES = 300;
