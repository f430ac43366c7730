// The log in a cluster: executions on all shards, a master that is killed or frozen, a slot that migrates.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createRedisLog } from '../../../src/log/redis/redis-log.ts';
import { createRedisTokenRecords } from '../../../src/server/auth/token-records.ts';
import { describeOwnRedis } from '../../support/redis.ts';
import { type RedisCluster, startCluster } from '../../support/redis-cluster.ts';
import { askServer } from '../../support/redis-sentinel.ts';
import { until } from '../../support/wait.ts';
import { logContract } from '../contract.ts';
import { freshId, request, take } from '../logs.ts';
import { chunk, recorder, seqs, texts, upTo } from '../recorder.ts';
import { expectComplete, startLoad } from './load.ts';

const SECONDS = 1_000;

/** Execution ids, one on each master. */
async function idsOnEach(redis: RedisCluster, name: string): Promise<string[]> {
  const ids = new Map<number, string>();
  for (let i = 0; ids.size < 3; i += 1) {
    const id = `${name}-${i}`;
    const { port } = await redis.ownerOf(`{${id}}`);
    if (!ids.has(port)) ids.set(port, id);
  }
  return [...ids.values()];
}

/** Channels with subscribers, on all nodes that are up. */
async function channelsIn(redis: RedisCluster): Promise<string[]> {
  const replies = await Promise.all(
    [...redis.masters, ...redis.replicas].map(({ port }) =>
      askServer(port, (client) => client.call('PUBSUB', 'SHARDCHANNELS')),
    ),
  );
  return replies.flatMap((names) => (names ?? []) as string[]);
}

describeOwnRedis('the log in a cluster', () => {
  let redis: RedisCluster;
  beforeAll(async () => {
    redis = await startCluster();
  });
  afterAll(() => redis[Symbol.asyncDispose]());

  logContract((bounds) => createRedisLog({ redis: redis.url, prefix: 'test:', bounds }));

  test('keys of one execution are on its shard, and keys of all executions are found from every shard', async () => {
    const log = createRedisLog({ redis: redis.url });
    const tokens = createRedisTokenRecords(redis.url, '');
    try {
      const ids = upTo(20).map(freshId);
      for (const id of ids) {
        await take(log, id);
        await log.recordHeartbeat(id);
        expect(await log.takeLease(id, 'me', 10_000)).toBeGreaterThan(0);
        await tokens.put(id, `record of ${id}`, 10_000);
      }
      for (const id of ids) {
        expect(await log.silenceMs(id)).toBeGreaterThanOrEqual(0);
        expect(await tokens.get(id)).toBe(`record of ${id}`);
      }
      await until(async () => (await log.findSilent(0, 1_000)).length >= ids.length);
    } finally {
      await Promise.all([log.close(), tokens.close()]);
    }
  });

  test('subscriptions are sharded, and none is left without listeners', async () => {
    const log = createRedisLog({ redis: redis.url });
    try {
      const ids = upTo(50).map(freshId);
      const heard = recorder();
      const leave = await Promise.all(ids.map((id) => log.listen(id, heard)));
      expect(new Set(await channelsIn(redis)).size).toBe(50);
      for (const id of ids) await log.append(id, request(await take(log, id), [chunk(id)]));
      await until(() => heard.events.length === 50);
      expect(texts(heard.events).sort()).toEqual(ids.sort());
      for (const one of leave) await one();
      await until(async () => (await channelsIn(redis)).length === 0);
    } finally {
      await log.close();
    }
  });

  test('appends and listeners follow a slot that migrates, and listeners are notified', async () => {
    const log = createRedisLog({ redis: redis.url });
    try {
      const id = freshId();
      const head = await take(log, id);
      const heard = recorder();
      const leave = await log.listen(id, heard);
      await log.append(id, request(head, [chunk('1')]));
      await heard.heard(1);
      await log.recordHeartbeat(id);
      const from = await redis.ownerOf(`{${id}}`);
      const to = redis.masters.find(({ port }) => port !== from.port)!;
      await redis.moveSlot(`{${id}}`, to, async () => {
        // Its keys are on the new node already, but the slot is not.
        expect(await log.head(id)).toMatchObject({ head: 1 });
        const next = request(head, [chunk('2')], { acknowledged: 1, batch: 'b2' });
        expect(await log.append(id, next)).toMatchObject({ outcome: 'appended', head: 2 });
      });
      const last = request(head, [chunk('3')], { acknowledged: 2, batch: 'b3' });
      expect(await log.append(id, last)).toMatchObject({ outcome: 'appended', head: 3 });
      await until(() => heard.interruptions > 0, { what: 'the notification of the interruption' });
      await log.append(id, request(head, [chunk('4')], { acknowledged: 3 }));
      await heard.heard(4);
      expect(seqs((await log.read(id, 0, 10))!.events)).toEqual([1, 2, 3, 4]);
      await leave();
      await until(async () => (await channelsIn(redis)).length === 0);
    } finally {
      await log.close();
    }
  });

  test('a listener is redirected to the new node of a slot whose move was not noticed yet', async () => {
    const log = createRedisLog({ redis: redis.url });
    try {
      const id = freshId();
      await log.ping();
      await log.head(id);
      const from = await redis.ownerOf(`{${id}}`);
      await redis.moveSlot(`{${id}}`, redis.masters.find(({ port }) => port !== from.port)!);
      const heard = recorder();
      await log.listen(id, heard);
      await log.append(id, request(await take(log, id), [chunk('1')]));
      await heard.heard(1);
    } finally {
      await log.close();
    }
  });

  test(
    "viewers have complete sequences, or a reset and complete ones, after a shard's master is killed under load",
    async () => {
      await using load = await startLoad({ redis: redis.url });
      const ids = await idsOnEach(redis, 'killed');
      const publishings = ids.map((id) => load.publish(id));
      for (const id of ids) await until(() => load.log.head(id), { what: 'the log' });
      const viewers = ids.map((id) => load.viewer(id));
      const reading = viewers.map((viewer) => viewer.readToEnd());
      await until(() => viewers.every(({ seen }) => seen.length > 50));
      const killed = await redis.ownerOf(`{${ids[0]}}`);
      await killed.kill();
      await until(async () => (await redis.ownerOf(`{${ids[0]}}`)) !== killed, { timeoutMs: 15 * SECONDS });
      const before = publishings.map(({ published }) => published);
      await until(() => publishings.every(({ published }, i) => published > before[i]! + 50), {
        timeoutMs: 15 * SECONDS,
      });
      const published = await Promise.all(publishings.map((one) => one.stop()));
      await Promise.all(reading);
      for (const [i, viewer] of viewers.entries()) expectComplete(viewer, published[i]!);
      await until(async () => (await channelsIn(redis)).length === 0, { what: 'no subscription to be left' });
      await killed.restart();
      await redis.untilComplete();
    },
    60 * SECONDS,
  );

  test(
    'a shard that hangs is SOURCE_UNAVAILABLE within the timeout, and the others continue',
    async () => {
      const log = createRedisLog({ redis: redis.url, commandTimeoutMs: 400, checkIntervalMs: 200 });
      try {
        const [hanging, other] = (await idsOnEach(redis, 'frozen')) as [string, string];
        const head = await take(log, hanging, { publisher: 'p', attempt: 2 });
        const heard = recorder();
        await log.listen(hanging, heard);
        const frozen = await redis.ownerOf(`{${hanging}}`);
        frozen.freeze();
        const started = performance.now();
        const sent = request(head, [chunk('x')], { publisher: 'p', batch: 'b' });
        await expect(log.append(hanging, sent)).rejects.toMatchObject({ code: 'SOURCE_UNAVAILABLE' });
        await expect(log.listen(hanging, recorder())).rejects.toMatchObject({
          code: 'SOURCE_UNAVAILABLE',
        });
        expect(performance.now() - started).toBeLessThan(4 * SECONDS);
        await take(log, other);
        await until(() => log.append(hanging, sent), { what: 'the new master', timeoutMs: 15 * SECONDS });
        await until(() => heard.interruptions > 0, {
          what: 'the notification of the interruption',
          timeoutMs: 15 * SECONDS,
        });
        frozen.thaw();
      } finally {
        await log.close();
      }
    },
    60 * SECONDS,
  );
});

describeOwnRedis('a cluster that cannot be reached', () => {
  test('calls on an unreachable cluster fail within their timeout, and a closed log rejects immediately', async () => {
    const log = createRedisLog({ redis: 'redis+cluster://127.0.0.1:1,127.0.0.1:2', commandTimeoutMs: 300 });
    const id = freshId();
    const started = performance.now();
    const calls = [log.ping(), log.head(id), log.listen(id, recorder()), log.recordHeartbeat(id)];
    for (const result of await Promise.allSettled(calls)) {
      expect(result).toMatchObject({ reason: { code: 'SOURCE_UNAVAILABLE' } });
    }
    expect(performance.now() - started).toBeLessThan(3 * SECONDS);
    await log.close();
    await expect(log.head(id)).rejects.toMatchObject({ code: 'SOURCE_UNAVAILABLE' });
    await expect(log.listen(id, recorder())).rejects.toMatchObject({ code: 'SOURCE_UNAVAILABLE' });
  });
});
