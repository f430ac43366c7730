// The invariants of commands in a cluster (src/redis/cluster/), on nodes that reply as a test wants.
// test/log/topologies/cluster.test.ts has a real cluster.
import { describe, expect, test } from 'vitest';
import { ExecstreamError } from '../../src/event/errors.ts';
import { connectCluster } from '../../src/redis/cluster/cluster.ts';
import { redirectOf, resolveAddress } from '../../src/redis/cluster/redirect.ts';
import { allSlots, error, type FakeRedis, OK, startFakeRedis } from '../support/redis-fake.ts';

const UNAVAILABLE = { code: 'SOURCE_UNAVAILABLE' };

function connectTo({ port }: FakeRedis, timeoutMs = 1_000) {
  const connection = connectCluster({ nodes: [{ host: '127.0.0.1', port }] }, 'test', timeoutMs);
  return {
    get: () => connection.run('key', (redis) => redis.get('key')),
    [Symbol.asyncDispose]: () => connection.close(),
  };
}

function countOf(server: FakeRedis, name: string): number {
  return server.commands.filter(([command]) => command?.toUpperCase() === name).length;
}

/** A node that has all slots, and replies to GET with the n-th of these, the last one from then on. */
async function startNode(...replies: (string | undefined)[]): Promise<FakeRedis> {
  let gets = 0;
  const node: FakeRedis = await startFakeRedis(([name]) => {
    if (name === 'CLUSTER') return allSlots(node.port);
    if (name !== 'GET') return OK;
    gets += 1;
    return replies[Math.min(gets, replies.length) - 1];
  });
  return node;
}

describe('a command in a cluster', () => {
  test('a command without a reply is not sent again, and rejects after its timeout', async () => {
    await using node = await startNode(undefined);
    await using cluster = connectTo(node, 300);
    const started = performance.now();
    await expect(cluster.get()).rejects.toMatchObject(UNAVAILABLE);
    expect(performance.now() - started).toBeLessThan(1_500);
    expect(countOf(node, 'GET')).toBe(1);
  });

  test.each([
    'TRYAGAIN Multiple keys request during rehashing of slot',
    'CLUSTERDOWN Hash slot not served',
    'LOADING',
  ])('a command that a node rejected with %s is sent to it again', async (rejection) => {
    await using node = await startNode(error(rejection), OK);
    await using cluster = connectTo(node);
    expect(await cluster.get()).toBe('OK');
    expect(countOf(node, 'GET')).toBe(2);
  });

  test('a command that a node rejected with MOVED is sent to the other node', async () => {
    await using other = await startNode(OK);
    await using node = await startNode(error(`MOVED 12539 :${other.port}`));
    await using cluster = connectTo(node);
    expect(await cluster.get()).toBe('OK');
    expect([countOf(node, 'GET'), countOf(other, 'GET')]).toEqual([1, 1]);
  });

  test('a command that a node rejected with ASK is sent to the other node right after ASKING', async () => {
    await using other = await startNode(OK);
    await using node = await startNode(error(`ASK 12539 127.0.0.1:${other.port}`));
    await using cluster = connectTo(node);
    expect(await cluster.get()).toBe('OK');
    const names = other.commands.map(([name]) => name!.toUpperCase());
    expect(names.slice(names.indexOf('ASKING'))).toEqual(['ASKING', 'GET']);
  });

  test('a command that two nodes redirect to each other rejects after its one timeout', async () => {
    let port = 0;
    await using other = await startFakeRedis(([name]) =>
      name === 'GET' ? error(`MOVED 12539 :${port}`) : OK,
    );
    await using node = await startNode(error(`MOVED 12539 :${other.port}`));
    port = node.port;
    await using cluster = connectTo(node, 400);
    const started = performance.now();
    await expect(cluster.get()).rejects.toMatchObject(UNAVAILABLE);
    expect(performance.now() - started).toBeLessThan(1_500);
    expect(countOf(node, 'GET') + countOf(other, 'GET')).toBeLessThan(20);
  });

  test('a command that a node rejects for another reason is not sent again', async () => {
    await using node = await startNode(error('WRONGTYPE Operation against a key'));
    await using cluster = connectTo(node);
    await expect(cluster.get()).rejects.toMatchObject(UNAVAILABLE);
    expect(countOf(node, 'GET')).toBe(1);
  });
});

describe('a redirect', () => {
  const caused = (message: string) =>
    new ExecstreamError('SOURCE_UNAVAILABLE', 'm', { cause: new Error(message) });

  test.each([
    ['MOVED 3999 127.0.0.1:6381', { kind: 'moved', address: '127.0.0.1:6381' }],
    ['ASK 3999 :6381', { kind: 'ask', address: ':6381' }],
    ['TRYAGAIN Multiple keys', { kind: 'retry' }],
    ['CLUSTERDOWN Hash slot not served', { kind: 'retry' }],
    ['LOADING Redis is loading', { kind: 'retry' }],
    ['ASKING is not a redirect', undefined],
    ['ERR MOVED', undefined],
  ])('a redirect is read from the error %s', (message, redirect) => {
    expect(redirectOf(caused(message))).toEqual(redirect);
    expect(redirectOf(new Error(message))).toBeUndefined();
  });

  test('a redirect without a host leads to the host that replied', () => {
    expect(resolveAddress(':6381', 'a:6380')).toBe('a:6381');
    expect(resolveAddress('b:6381', 'a:6380')).toBe('b:6381');
  });
});
