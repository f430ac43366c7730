// Settings of the connection to Temporal, under the names that Temporal's own tools use.
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { messageOf } from '../../event/error-message.ts';
import type { TemporalAddress } from '../../temporal/source/connection-settings.ts';
import { NAMESPACE_SEPARATOR } from '../../temporal/source/namespace-ids.ts';
import { DEFAULT_REQUEST_LIMITS } from '../../temporal/source/request-limiter.ts';
import { DEFAULT_WATCH_TIMES } from '../../temporal/source/watch-context.ts';
import {
  type Environment,
  integer,
  invalid,
  listOf,
  onOff,
  optionalText,
  optionalUrl,
  readAll,
  readEach,
  readSettings,
} from './env.ts';

export const TEMPORAL_SETTINGS = {
  address: optionalText('TEMPORAL_ADDRESS', {
    unset: 'none',
    flag: 'host:port',
    doc: 'Temporal, whose workflows the server watches.',
  }),
  tenant: optionalText('TEMPORAL_TENANT', {
    unset: 'none',
    doc: 'The tenant that owns its workflows; without it, callers with a tenant get 404 for them.',
  }),
  namespace: optionalText('TEMPORAL_NAMESPACE', {
    unset: '`default`',
    flag: 'name',
    doc: 'The namespace.',
  }),
  namespaces: listOf('TEMPORAL_NAMESPACES', {
    doc: 'Other namespaces that are watched, with commas between them: their workflows are `<namespace>:<workflow id>`.',
  }),
  apiKey: optionalText('TEMPORAL_API_KEY', { unset: 'none', isSecret: true, doc: 'The API key.' }),
  configFile: optionalText('TEMPORAL_CONFIG_FILE', {
    unset: 'none',
    doc: "A configuration file of Temporal's tools, which is read only if this or `TEMPORAL_PROFILE` is set.",
  }),
  profile: optionalText('TEMPORAL_PROFILE', {
    unset: 'none',
    doc: 'A profile of that file; without `TEMPORAL_CONFIG_FILE`, of the one in its usual place.',
  }),
  lists: onOff('TEMPORAL_LIST', {
    default: false,
    doc: "Whether lists of executions contain workflows that nobody has viewed, from Temporal's visibility.",
  }),
  showPayloads: onOff('TEMPORAL_SHOW_PAYLOADS', {
    default: false,
    doc:
      'Whether inputs and results of workflows that do not use execstream, and the details of heartbeats, are shown, with' +
      ' secrets redacted.',
  }),
  activitiesMs: integer('TEMPORAL_ACTIVITIES_MS', {
    default: DEFAULT_WATCH_TIMES.activitiesMs,
    min: 0,
    max: 3_600_000,
    doc:
      'How often a watched workflow is described while [activities](docs/temporal.md#activities-in-flight) of it are in' +
      ' flight: less often while nothing changes, never with 0.',
  }),
  pollStreams: onOff('TEMPORAL_POLL_STREAMS', {
    default: true,
    doc: 'Whether Workflow Streams are polled, by updates, for the items that workflows publish themselves.',
  }),
  codecEndpoint: optionalUrl('TEMPORAL_CODEC_ENDPOINT', {
    unset: 'none',
    protocols: ['http:', 'https:'],
    doc: 'A codec server, which decodes payloads; `{namespace}` in the URL is replaced.',
  }),
  codecAuth: optionalText('TEMPORAL_CODEC_AUTH', {
    unset: 'none',
    isSecret: true,
    doc: 'The `Authorization` header for the codec server.',
  }),
  codecHeaders: listOf('TEMPORAL_CODEC_HEADERS', {
    isSecret: true,
    doc: 'More headers for the codec server, as `name=value`, with commas between them; values are percent-decoded.',
  }),
  requests: {
    perSecond: integer('TEMPORAL_MAX_REQUESTS_PER_SECOND', {
      default: DEFAULT_REQUEST_LIMITS.perSecond,
      min: 1,
      max: 1_000_000,
      doc: 'Requests of this server to one namespace. Further ones wait [by priority](docs/temporal.md#costs).',
    }),
    burst: integer('TEMPORAL_REQUEST_BURST', {
      default: DEFAULT_REQUEST_LIMITS.burst,
      min: 1,
      max: 1_000_000,
      doc: 'Requests that are sent without delay after a time with few requests.',
    }),
    queriesPerTaskQueue: integer('TEMPORAL_MAX_QUERIES_PER_TASK_QUEUE', {
      default: DEFAULT_REQUEST_LIMITS.queriesPerTaskQueue,
      min: 1,
      max: 10_000,
      doc: 'Concurrent queries of this server to the workers of one task queue. Those for ends may use twice as many.',
    }),
  },
};

/**
 * Reads the connection to Temporal. `TEMPORAL_TLS…` and what a profile contains are parsed by Temporal's library.
 * @returns undefined without an address
 */
export function readTemporal(env: Environment): TemporalAddress | undefined {
  const address = TEMPORAL_SETTINGS.address.read(env);
  if (!address) return undefined;
  const { endpoint, headers, loaded, requestLimits } = readAll({
    endpoint: () => TEMPORAL_SETTINGS.codecEndpoint.read(env),
    headers: () => readCodecHeaders(env),
    loaded: () => loadConnection(env),
    requestLimits: () => readSettings(TEMPORAL_SETTINGS.requests, env),
  });
  const { tls, apiKey, metadata } = loaded.connectionOptions;
  return {
    address,
    namespace: loaded.namespace || 'default',
    requestLimits,
    ...(tls && { tls }),
    ...(endpoint !== undefined && { codec: { endpoint, headers } }),
    ...(typeof apiKey === 'string' && { apiKey }),
    ...(metadata && Object.keys(metadata).length > 0 && { metadata: metadata as Record<string, string> }),
  };
}

function loadConnection(env: Environment): ReturnType<typeof loadClientConnectConfig> {
  const { address, configFile, profile } = TEMPORAL_SETTINGS;
  const variables = Object.entries(env).filter((entry): entry is [string, string] => Boolean(entry[1]));
  // The library would also read a file in the home directory.
  const disableFile = !configFile.read(env) && !profile.read(env);
  try {
    return loadClientConnectConfig({ overrideEnvVars: Object.fromEntries(variables), disableFile });
  } catch (error) {
    throw invalid(address.name, `invalid configuration of Temporal's client: ${messageOf(error)}`);
  }
}

/**
 * Reads the namespaces that are watched beside the default one.
 * @throws ExecstreamError `CONFIG`
 */
export function readNamespaces(env: Environment): readonly string[] {
  const { name, read } = TEMPORAL_SETTINGS.namespaces;
  return readEach(read(env), (namespace) => {
    if (!namespace.includes(NAMESPACE_SEPARATOR)) return namespace;
    throw invalid(name, `expected names without "${NAMESPACE_SEPARATOR}", got "${namespace.slice(0, 80)}"`);
  });
}

/** Without the values in errors, which are secrets. */
function readCodecHeaders(env: Environment): Record<string, string> {
  const { codecAuth, codecHeaders } = TEMPORAL_SETTINGS;
  const headers = new Headers();
  readAll({
    authorization: () => {
      const value = codecAuth.read(env);
      try {
        if (value !== undefined) headers.set('authorization', value);
      } catch {
        throw invalid(codecAuth.name, 'expected a value that a header can have');
      }
    },
    others: () =>
      readEach(codecHeaders.read(env), (entry) => {
        const [, name = '', value = ''] = /^([^=]*)=(.*)$/s.exec(entry) ?? [];
        try {
          headers.set(name.trim(), decodeURIComponent(value.trim()));
        } catch {
          const got = `got "${name.slice(0, 40)}=…"`;
          throw invalid(codecHeaders.name, `expected name=value with a percent-encoded value, ${got}`);
        }
      }),
  });
  return Object.fromEntries(headers);
}
