// The URL of a Redis, in one of three forms, distinguished by the scheme (docs/redis.md).
//
//   redis://user:password@host:6379/0                          one Redis
//   redis+sentinel://user:password@host:26379,host/name/0      the master that the Sentinels know by that name
//   redis+cluster://user:password@host:6379,host               the cluster that these nodes belong to
//
// rediss instead of redis uses TLS.
import type { RedisOptions } from 'ioredis';
import { ExecstreamError } from '../event/errors.ts';

/** A cluster: ioredis' options for each of its nodes, and the nodes to query first, of which one has to respond. */
export interface RedisClusterOptions extends RedisOptions {
  readonly nodes: readonly { readonly host: string; readonly port: number }[];
}

/** A URL or ioredis' options for one Redis or for Sentinel, or a cluster. */
export type RedisTarget = string | RedisOptions | RedisClusterOptions;

const SCHEMES = ['redis', 'redis+sentinel', 'redis+cluster'].map((s) => `${s}://`);
const SENTINEL_OR_CLUSTER =
  /^redis(s?)\+(sentinel|cluster):\/\/(?:([^@/?#]*)@)?([^@/?#]+)(?:\/([^?#]*))?(?:\?([^#]*))?$/;
const HOST = /^(?:\[([\da-fA-F:.]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/;

/**
 * Parses a URL of one of the three forms.
 * @throws ExecstreamError `CONFIG` with what was expected, without the URL, which may contain a password
 */
export function parseRedisUrl(url: string): RedisTarget {
  const [, tls, topology, credentials = '', hosts = '', path = '', query = ''] =
    SENTINEL_OR_CLUSTER.exec(url) ?? [];
  if (topology === undefined) {
    const { protocol, hostname } = URL.canParse(url) ? new URL(url) : { protocol: '', hostname: '' };
    if (!/^rediss?:$/.test(protocol)) {
      throw invalidUrl(`a URL that starts with ${SCHEMES.join(', ')} (or rediss instead of redis)`);
    }
    if (hostname.includes(',')) {
      throw invalidUrl('one host; a URL with several starts with redis+sentinel:// or redis+cluster://');
    }
    return url;
  }
  const nodes = hosts.split(',').map((text) => parseNode(text, topology === 'sentinel' ? 26_379 : 6_379));
  const parameters = new URLSearchParams(query);
  const options = { ...parseCredentials(credentials), ...(tls && { tls: {} }) };
  if (topology === 'cluster') {
    if (path !== '' || query !== '')
      throw invalidUrl('a URL that ends with the hosts: a cluster has only one database');
    return { ...options, nodes };
  }
  const [name = '', db = '0', ...rest] = path.split('/').map(decode);
  if (name === '')
    throw invalidUrl("a URL that ends with the master's name, as redis+sentinel://host:26379/mymaster");
  if (!/^\d{1,4}$/.test(db) || rest.length > 0)
    throw invalidUrl('a URL that ends with /name or /name/database');
  const unknown = [...parameters.keys()].find(
    (key) => key !== 'sentinelUsername' && key !== 'sentinelPassword',
  );
  if (unknown) throw invalidUrl(`only the parameters sentinelUsername and sentinelPassword, got ${unknown}`);
  return {
    ...options,
    sentinels: nodes,
    name,
    db: Number(db),
    // Sentinels have separate users: a password is never sent to a server that it is not for.
    ...Object.fromEntries(parameters),
    ...(tls && { sentinelTLS: {}, enableTLSForSentinelMode: true }),
  };
}

/** Describes a URL without its credentials. */
export function describeRedisUrl(url: string): string {
  const target = parseRedisUrl(url);
  if (typeof target === 'string') return `Redis at ${new URL(url).host}`;
  const addresses = (nodes: readonly { host?: string; port?: number }[]) =>
    nodes.map(({ host, port }) => `${host}:${port}`).join(', ');
  return isCluster(target)
    ? `the Redis cluster at ${addresses(target.nodes)}`
    : `Redis, the master ${target.name} of the Sentinels at ${addresses(target.sentinels!)}`;
}

export function isCluster(target: RedisTarget): target is RedisClusterOptions {
  return typeof target !== 'string' && 'nodes' in target;
}

function parseNode(text: string, defaultPort: number): { host: string; port: number } {
  const [, ipv6, host = ipv6, port = defaultPort] = HOST.exec(text.trim()) ?? [];
  if (!host || Number(port) > 65_535) throw invalidUrl('hosts as host:port, separated by commas');
  return { host, port: Number(port) };
}

function parseCredentials(credentials: string): { username?: string; password?: string } {
  if (credentials === '') return {};
  const colon = credentials.indexOf(':');
  const [username, password] =
    colon < 0 ? [credentials, ''] : [credentials.slice(0, colon), credentials.slice(colon + 1)];
  return {
    ...(username && { username: decode(username) }),
    ...(password && { password: decode(password) }),
  };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalidUrl('valid percent-encoding');
  }
}

function invalidUrl(expected: string): ExecstreamError {
  return new ExecstreamError('CONFIG', `expected ${expected}`);
}
