// The configuration from environment variables, and the errors for invalid values.
import { expect, test } from 'vitest';
import { readConfig } from '../../../src/server/config/config.ts';
import { DEFAULT_SERVER_LIMITS } from '../../../src/server/limits.ts';
import { DEFAULT_STREAM_SETTINGS } from '../../../src/sse/stream-settings.ts';

test('PROTOCOL.md, Other paths: the defaults are port 4000 and address 127.0.0.1', () => {
  expect(readConfig({})).toEqual({
    host: '127.0.0.1',
    port: 4000,
    dataDir: '.data',
    databaseUrl: undefined,
    redisUrl: undefined,
    redisPrefix: '',
    redisWaitReplicas: 0,
    temporal: undefined,
    temporalTenant: undefined,
    temporalNamespaces: [],
    showPayloads: false,
    temporalActivitiesMs: 5_000,
    temporalLists: false,
    pollStreams: true,
    auth: undefined,
    sessionMs: 3_600_000,
    policyClaims: [],
    corsOrigins: [],
    streams: DEFAULT_STREAM_SETTINGS,
    limits: DEFAULT_SERVER_LIMITS,
    drainMs: 5_000,
    publisherLostMs: 300_000,
    persistedQueries: 'off',
    logLevel: 'info',
  });
  expect(
    readConfig({ PORT: '0', HOST: '::1', CORS_ORIGINS: ' https://a.example, ,https://b.example,' }),
  ).toMatchObject({ port: 0, host: '::1', corsOrigins: ['https://a.example', 'https://b.example'] });
});

test('an empty variable counts as absent', () => {
  const empty = Object.fromEntries(
    ['PORT', 'HOST', 'DATA_DIR', 'DATABASE_URL', 'REDIS_URL', 'CORS_ORIGINS', 'HEARTBEAT_MS'].map((n) => [
      n,
      '',
    ]),
  );
  expect(readConfig(empty)).toEqual(readConfig({}));
});

test.each([
  ['PORT', '70000'],
  ['PORT', '-1'],
  ['PORT', '4000x'],
  ['HEARTBEAT_MS', '0'],
  ['LIFETIME_MS', '1e9'],
  ['DRAIN_MS', '-1'],
  ['DIRECT_WRITES', 'maybe'],
  ['STALLED_MS', '0'],
  ['STREAM_BYTES_PER_SECOND', '1'],
  ['MAX_STREAMS', '0'],
  ['MAX_STREAMS_PER_CALLER', 'many'],
  ['MAX_NEW_STREAMS_PER_SECOND', '0'],
  ['MAX_QUERIES_PER_SECOND', '0'],
  ['MAX_BEGINS_PER_SECOND', '0'],
  ['MAX_BATCHES_PER_SECOND', '0.5'],
  ['MAX_NEW_STREAM_TOKENS_PER_SECOND', '0'],
  ['MAX_STREAM_TOKENS_PER_CALLER', '0'],
  ['MAX_NEW_RESERVATIONS_PER_SECOND', '0'],
  ['MAX_RESERVATIONS_PER_CALLER', '0'],
  ['MAX_DOCUMENTS_PER_EXECUTION', '0'],
  ['MAX_DOCUMENTS_PER_CALLER', '0'],
  ['MAX_QUERY_DEPTH', '0'],
  ['MAX_QUERY_ALIASES', '-1'],
  ['MAX_QUERY_TOKENS', '1'],
  ['MAX_QUERY_COST', '0'],
  ['MAX_BODY_BYTES', '10'],
  ['MAX_HEADER_BYTES', '10'],
  ['REQUEST_TIMEOUT_MS', '10'],
  ['REDIS_URL', 'http://localhost'],
  ['REDIS_URL', 'localhost:6379'],
  ['DATABASE_URL', 'mysql://localhost/x'],
  ['LOG_LEVEL', 'loud'],
])('%s=%s is rejected by the name of the variable', (name, value) => {
  expect(() => readConfig({ [name]: value })).toThrow(expect.objectContaining({ code: 'CONFIG' }));
  expect(() => readConfig({ [name]: value })).toThrow(new RegExp(`^${name}: expected `));
});

test('each limit of a caller is configurable separately', () => {
  const { limits } = readConfig({
    MAX_QUERIES_PER_SECOND: '1',
    MAX_BEGINS_PER_SECOND: '2',
    MAX_BATCHES_PER_SECOND: '3',
    MAX_NEW_STREAM_TOKENS_PER_SECOND: '4',
    MAX_NEW_RESERVATIONS_PER_SECOND: '5',
    MAX_STREAM_TOKENS_PER_CALLER: '6',
    MAX_RESERVATIONS_PER_CALLER: '7',
    MAX_DOCUMENTS_PER_EXECUTION: '8',
    MAX_DOCUMENTS_PER_CALLER: '9',
  });
  expect(limits).toEqual({
    ...DEFAULT_SERVER_LIMITS,
    quotas: { queries: 1, begins: 2, batches: 3, streamTokens: 4, reservations: 5 },
    streamTokensPerCaller: 6,
    reservationsPerCaller: 7,
    documents: { perExecution: 8, perCaller: 9 },
  });
});

test('an invalid URL is not shown, because it may contain a password', () => {
  expect(() => readConfig({ DATABASE_URL: 'mysql://u:hunter2@h/x' })).toThrow(/^(?!.*hunter2)/);
});

test('Temporal is configured like its own tools', () => {
  const { temporal } = readConfig({
    TEMPORAL_ADDRESS: 'temporal.example:7233',
    TEMPORAL_NAMESPACE: 'orders',
    TEMPORAL_API_KEY: 'k',
  });
  const requestLimits = { perSecond: 500, burst: 1_000, queriesPerTaskQueue: 16 };
  expect(temporal).toEqual({
    ...{ address: 'temporal.example:7233', namespace: 'orders', apiKey: 'k', tls: true },
    requestLimits,
  });
  expect(readConfig({ TEMPORAL_ADDRESS: 'localhost:7233' }).temporal).toEqual({
    address: 'localhost:7233',
    namespace: 'default',
    requestLimits,
  });
  expect(readConfig({ TEMPORAL_ADDRESS: '' }).temporal).toBeUndefined();
});

test('settings limit the requests to Temporal', () => {
  const limitsOf = (env: Record<string, string>) =>
    readConfig({ TEMPORAL_ADDRESS: 'localhost:7233', ...env }).temporal?.requestLimits;
  expect(
    limitsOf({
      TEMPORAL_MAX_REQUESTS_PER_SECOND: '20',
      TEMPORAL_REQUEST_BURST: '30',
      TEMPORAL_MAX_QUERIES_PER_TASK_QUEUE: '4',
    }),
  ).toEqual({ perSecond: 20, burst: 30, queriesPerTaskQueue: 4 });
  expect(() => limitsOf({ TEMPORAL_MAX_REQUESTS_PER_SECOND: '0' })).toThrow(
    /^TEMPORAL_MAX_REQUESTS_PER_SECOND: expected 1 to 1000000, got "0"/,
  );
});

test('further namespaces of Temporal are a list of names without colons', () => {
  const namespacesOf = (text: string) => readConfig({ TEMPORAL_NAMESPACES: text }).temporalNamespaces;
  expect(namespacesOf('billing, ops.a1b2c,')).toEqual(['billing', 'ops.a1b2c']);
  expect(() => namespacesOf('billing,a:b')).toThrow(
    'TEMPORAL_NAMESPACES: expected names without ":", got "a:b"',
  );
});

test("the codec server is configured like that of Temporal's tools", () => {
  const base = {
    TEMPORAL_ADDRESS: 'localhost:7233',
    TEMPORAL_CODEC_ENDPOINT: 'https://codec.example/{namespace}',
  };
  const codecOf = (env: Record<string, string>) => readConfig({ ...base, ...env }).temporal?.codec;
  expect(codecOf({})).toEqual({ endpoint: base.TEMPORAL_CODEC_ENDPOINT, headers: {} });
  expect(
    codecOf({ TEMPORAL_CODEC_AUTH: 'Bearer t', TEMPORAL_CODEC_HEADERS: 'X-Team=a%2Cb=c, X-Key = %20k' })
      ?.headers,
  ).toEqual({ authorization: 'Bearer t', 'x-team': 'a,b=c', 'x-key': 'k' });
  expect(readConfig({ TEMPORAL_SHOW_PAYLOADS: 'on' }).showPayloads).toBe(true);
  expect(readConfig({ TEMPORAL_ACTIVITIES_MS: '0' }).temporalActivitiesMs).toBe(0);
  expect(readConfig({ TEMPORAL_LIST: 'on' }).temporalLists).toBe(true);
  expect(readConfig({ TEMPORAL_POLL_STREAMS: 'off' }).pollStreams).toBe(false);
  expect(() => codecOf({ TEMPORAL_CODEC_ENDPOINT: 'codec.example' })).toThrow(
    /^TEMPORAL_CODEC_ENDPOINT: expected a URL/,
  );
  for (const headers of ['hunter2', '=hunter2', 'a b=hunter2', 'X-Key=%hunter2']) {
    expect(() => codecOf({ TEMPORAL_CODEC_HEADERS: headers })).toThrow(
      /^TEMPORAL_CODEC_HEADERS: expected name=value (?!.*hunter2)/,
    );
  }
});
