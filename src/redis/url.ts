// What names a Redis: one URL for each of the three shapes, the scheme saying which (docs/redis.md).
//
//   redis://user:password@host:6379/0                          one Redis
//   redis+sentinel://user:password@host:26379,host/name/0      the master that the Sentinels know by that name
//   redis+cluster://user:password@host:6379,host               the cluster that these nodes belong to
//
// rediss in place of redis is TLS.
import type { RedisOptions } from 'ioredis';
import { ExecstreamError } from '../event/errors.ts';

/** A cluster: ioredis' options for each of its nodes, and the nodes to ask first; any that answers will do. */
export interface RedisClusterOptions extends RedisOptions {
  readonly nodes: readonly { readonly host: string; readonly port: number }[];
}

/** What ioredis takes for one Redis or for Sentinel, or a cluster. */
export type RedisTarget = string | RedisOptions | RedisClusterOptions;

const SCHEMES = ['redis', 'redis+sentinel', 'redis+cluster'].map((s) => `${s}://`);
const SEVERAL = /^redis(s?)\+(sentinel|cluster):\/\/(?:([^@/?#]*)@)?([^@/?#]+)(?:\/([^?#]*))?(?:\?([^#]*))?$/;
const HOST = /^(?:\[([\da-fA-F:.]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/;

/**
 * Reads a URL of one of the three shapes.
 * @throws ExecstreamError `BAD_USER_INPUT`, saying what was expected. The URL is not shown: it may hold a password.
 */
export function parseRedisUrl(url: string): RedisTarget {
  const [, tls, shape, credentials = '', hosts = '', path = '', query = ''] = SEVERAL.exec(url) ?? [];
  if (shape === undefined) {
    const { protocol, hostname } = URL.canParse(url) ? new URL(url) : { protocol: '', hostname: '' };
    if (!/^rediss?:$/.test(protocol)) {
      throw bad(`a URL that begins with ${SCHEMES.join(', ')} (or rediss in place of redis)`);
    }
    if (hostname.includes(',')) {
      throw bad('a URL of one host; several begin with redis+sentinel:// or redis+cluster://');
    }
    return url;
  }
  const nodes = hosts.split(',').map((text) => toNode(text, shape === 'sentinel' ? 26_379 : 6_379));
  const parameters = new URLSearchParams(query);
  const options = { ...user(credentials), ...(tls && { tls: {} }) };
  if (shape === 'cluster') {
    if (path !== '' || query !== '')
      throw bad('a URL that ends with the hosts: a cluster has but one database');
    return { ...options, nodes };
  }
  const [name = '', db = '0', ...rest] = path.split('/').map(decoded);
  if (name === '')
    throw bad("a URL that ends with the master's name, as redis+sentinel://host:26379/mymaster");
  if (!/^\d{1,4}$/.test(db) || rest.length > 0) throw bad('a URL that ends with /name or /name/database');
  const stray = [...parameters.keys()].find(
    (key) => key !== 'sentinelUsername' && key !== 'sentinelPassword',
  );
  if (stray) throw bad(`a URL whose parameters are sentinelUsername and sentinelPassword, not ${stray}`);
  return {
    ...options,
    sentinels: nodes,
    name,
    db: Number(db),
    // Sentinels have users of their own: nobody's password is shown to a server that it is not for.
    ...Object.fromEntries(parameters),
    ...(tls && { sentinelTLS: {}, enableTLSForSentinelMode: true }),
  };
}

/** Where a URL leads to, in words, without credentials. */
export function describeRedisUrl(url: string): string {
  const target = parseRedisUrl(url);
  if (typeof target === 'string') return `Redis at ${new URL(url).host}`;
  const told = (nodes: readonly { host?: string; port?: number }[]) =>
    nodes.map(({ host, port }) => `${host}:${port}`).join(', ');
  return isCluster(target)
    ? `the Redis cluster at ${told(target.nodes)}`
    : `Redis, the master ${target.name} of the Sentinels at ${told(target.sentinels!)}`;
}

export function isCluster(target: RedisTarget): target is RedisClusterOptions {
  return typeof target !== 'string' && 'nodes' in target;
}

function toNode(text: string, defaultPort: number): { host: string; port: number } {
  const [, ipv6, host = ipv6, port = defaultPort] = HOST.exec(text.trim()) ?? [];
  if (!host || Number(port) > 65_535) throw bad('a URL of hosts as host:port, separated by commas');
  return { host, port: Number(port) };
}

function user(credentials: string): { username?: string; password?: string } {
  if (credentials === '') return {};
  const colon = credentials.indexOf(':');
  const [username, password] =
    colon < 0 ? [credentials, ''] : [credentials.slice(0, colon), credentials.slice(colon + 1)];
  return {
    ...(username && { username: decoded(username) }),
    ...(password && { password: decoded(password) }),
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw bad('a URL whose percent signs stand for characters');
  }
}

function bad(expected: string): ExecstreamError {
  return new ExecstreamError('BAD_USER_INPUT', `expected ${expected}`);
}
