// The three forms of REDIS_URL, the errors for others, and the slots of keys.
import { describe, expect, test } from 'vitest';
import { createRedisLog } from '../../src/log/redis/redis-log.ts';
import { slotOf, toOwners } from '../../src/redis/cluster/slots.ts';
import { describeRedisUrl, parseRedisUrl } from '../../src/redis/url.ts';
import { readConfig } from '../../src/server/config/config.ts';

describe('REDIS_URL', () => {
  test.each([
    ['redis://u:p@h:1/2', 'redis://u:p@h:1/2'],
    ['rediss://h', 'rediss://h'],
    [
      'redis+sentinel://a,b:1/m',
      {
        sentinels: [
          { host: 'a', port: 26_379 },
          { host: 'b', port: 1 },
        ],
        name: 'm',
        db: 0,
      },
    ],
    [
      'redis+sentinel://u:p%40%2F@[::1]:5/m%20x/3?sentinelUsername=s&sentinelPassword=t%26',
      {
        ...{ username: 'u', password: 'p@/', sentinels: [{ host: '::1', port: 5 }], name: 'm x', db: 3 },
        ...{ sentinelUsername: 's', sentinelPassword: 't&' },
      },
    ],
    [
      'rediss+sentinel://:p@a/m',
      {
        ...{ password: 'p', sentinels: [{ host: 'a', port: 26_379 }], name: 'm', db: 0, tls: {} },
        ...{ sentinelTLS: {}, enableTLSForSentinelMode: true },
      },
    ],
    [
      'redis+cluster://a:7000,b',
      {
        nodes: [
          { host: 'a', port: 7000 },
          { host: 'b', port: 6379 },
        ],
      },
    ],
    ['rediss+cluster://u@a', { username: 'u', tls: {}, nodes: [{ host: 'a', port: 6379 }] }],
  ])('%s is parsed', (url, target) => {
    expect(parseRedisUrl(url)).toEqual(target);
  });

  test.each([
    [
      'localhost:6379',
      /expected a URL that starts with redis:\/\/, redis\+sentinel:\/\/, redis\+cluster:\/\//,
    ],
    ['http://h', /expected a URL that starts with/],
    ['redis+ring://h', /expected a URL that starts with/],
    ['redis://a,b', /expected one host/],
    ['redis+cluster://a:x', /expected hosts as host:port/],
    ['redis+cluster://a,,b', /expected hosts as host:port/],
    ['redis+cluster://a:70000', /expected hosts as host:port/],
    ['redis+cluster://a/1', /a cluster has only one database/],
    ['redis+sentinel://a', /ends with the master's name/],
    ['redis+sentinel://a/m/x', /ends with \/name or \/name\/database/],
    ['redis+sentinel://a/m/1/2', /ends with \/name or \/name\/database/],
    [
      'redis+sentinel://a/m?password=hunter2',
      /only the parameters sentinelUsername and sentinelPassword, got password$/,
    ],
    ['redis+sentinel://u:hunter2%zz@a/m', /percent-encoding/],
  ])('%s is rejected with what was expected, without the password', (url, message) => {
    const read = () => readConfig({ REDIS_URL: url });
    expect(read).toThrow(expect.objectContaining({ code: 'CONFIG' }));
    expect(read).toThrow(/^REDIS_URL: expected (?!.*hunter2)/);
    expect(read).toThrow(message);
    expect(() => createRedisLog({ redis: url })).toThrow(message);
  });

  test('is described without its password', () => {
    expect(describeRedisUrl('redis://u:hunter2@h:1/2')).toBe('Redis at h:1');
    expect(describeRedisUrl('redis+sentinel://u:hunter2@a,b/m')).toBe(
      'Redis, the master m of the Sentinels at a:26379, b:26379',
    );
    expect(describeRedisUrl('redis+cluster://u:hunter2@a:1,b:2')).toBe('the Redis cluster at a:1, b:2');
  });
});

test.each([
  [{ REDIS_WAIT_REPLICAS: '1' }, /^REDIS_WAIT_REPLICAS: requires REDIS_URL$/],
  [
    { REDIS_URL: 'redis://h', REDIS_WAIT_REPLICAS: '-1' },
    /^REDIS_WAIT_REPLICAS: expected 0 to 100, got "-1"$/,
  ],
  [{ REDIS_URL: 'redis://h', REDIS_PREFIX: 'a{b}' }, /^REDIS_PREFIX: expected a text without braces$/],
])('%j is rejected', (env, message) => {
  expect(() => readConfig(env)).toThrow(message);
});

describe('slots', () => {
  // The first two are from the specification, the others from CLUSTER KEYSLOT.
  test.each([
    ['123456789', 12_739],
    ['{user1000}.following', slotOf('user1000')],
    ['foo{}{bar}', 8_363],
    ['foo{{bar}}zap', slotOf('{bar')],
    ['foo{bar}{zap}', slotOf('bar')],
    ['stream:log:{a1}', slotOf('stream:meta:{a1}')],
    ['', 0],
  ])('key %j is in slot %d', (key, slot) => {
    expect(slotOf(key)).toBe(slot);
  });

  test('a node that leaves its host out is on the host that replied', () => {
    const owners = toOwners(
      [
        [0, 1, ['', 7000]],
        [3, 3, ['b', 7001], ['c', 7002]],
        [4, 4, [null, 7003]],
      ],
      'a',
    );
    expect(owners.slice(0, 6)).toEqual(['a:7000', 'a:7000', undefined, 'b:7001', 'a:7003', undefined]);
  });
});
