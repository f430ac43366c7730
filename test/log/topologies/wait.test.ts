// Appends that wait for replicas: acknowledged events survive the loss of the master.
import { expect, onTestFinished, test } from 'vitest';
import { isExecstreamError } from '../../../src/event/errors.ts';
import type { EventLog } from '../../../src/log/log.ts';
import { createRedisLog } from '../../../src/log/redis/redis-log.ts';
import { describeOwnRedis, type RedisServer, startRedis } from '../../support/redis.ts';
import { startCluster } from '../../support/redis-cluster.ts';
import { askServer, startSentinels, untilReplicated } from '../../support/redis-sentinel.ts';
import { until } from '../../support/wait.ts';
import { freshId, request, take } from '../logs.ts';
import { chunk, fixed, texts, upTo } from '../recorder.ts';
import { expectComplete, startLoad } from './load.ts';

const SECONDS = 1_000;
const UNAVAILABLE = { code: 'SOURCE_UNAVAILABLE' };

// Synchronises a replica immediately, not after the 5 s in which others might join.
const startMaster = () => startRedis({ args: ['--repl-diskless-sync-delay', '0'] });

async function startReplica(master: RedisServer): Promise<RedisServer> {
  const replica = await startRedis({ args: ['--replicaof', '127.0.0.1', `${master.port}`] });
  await untilReplicated(master, 1);
  return replica;
}

/** Appends numbers, each resent with the same batch name until it is acknowledged, and records those that were. */
function appendOn(log: EventLog, id: string) {
  const acknowledged: string[] = [];
  let isRunning = true;
  // Also when a test fails: otherwise it would retry on a closed log forever.
  onTestFinished(() => {
    isRunning = false;
  });
  const appending = (async () => {
    const head = await take(log, id, { publisher: 'p' });
    for (let n = 1; isRunning; n += 1) {
      const sent = request(head, [chunk(`${n}`)], { publisher: 'p', batch: `b${n}`, acknowledged: n - 1 });
      for (let isKnown = false; isRunning && !isKnown; ) {
        const result = await log.append(id, sent).catch((error) => {
          if (!isExecstreamError(error) || error.code !== 'SOURCE_UNAVAILABLE') throw error;
          return new Promise<undefined>((resolve) => setTimeout(resolve, 20));
        });
        if (result) expect(result).toEqual({ outcome: 'appended', head: n });
        isKnown = result !== undefined;
        if (isKnown) acknowledged.push(`${n}`);
      }
    }
    return head;
  })();
  // `stop` returns it.
  appending.catch(() => {});
  return {
    acknowledged,
    stop: () => {
      isRunning = false;
      return appending;
    },
  };
}

/** The log holds everything that was acknowledged, once and in order, followed by up to one more event. */
async function expectKept(log: EventLog, id: string, appending: ReturnType<typeof appendOn>): Promise<void> {
  const { epoch } = await appending.stop();
  const { acknowledged } = appending;
  // A Sentinel may report the failover late, which reconnects once more.
  const page = await until(() => log.read(id, 0, 100_000));
  expect(page.epoch).toBe(epoch);
  expect(texts(page.events).slice(0, acknowledged.length)).toEqual(acknowledged);
  expect(page.head - acknowledged.length).toBeLessThanOrEqual(1);
}

describeOwnRedis('with waitReplicas', () => {
  test(
    'behind Sentinels, no acknowledged event is lost or duplicated when the master is killed under load',
    async () => {
      await using redis = await startSentinels();
      const options = { redis: redis.url, waitReplicas: 1 };
      await using load = await startLoad(options);
      const ids = upTo(4).map(freshId);
      const appending = ids.map((id) => appendOn(load.log, id));
      const publishing = load.publish('a1');
      await until(() => load.log.head('a1'), { what: 'the log' });
      const viewer = load.viewer('a1');
      const reading = viewer.readToEnd();
      await until(() => appending.every(({ acknowledged }) => acknowledged.length > 50));
      await redis.master().kill();
      await redis.failedOver();
      const before = appending.map(({ acknowledged }) => acknowledged.length);
      await until(() => appending.every(({ acknowledged }, i) => acknowledged.length > before[i]! + 50), {
        timeoutMs: 15 * SECONDS,
      });
      for (const [i, one] of appending.entries()) await expectKept(load.log, ids[i]!, one);
      const text = await publishing.stop();
      await reading;
      expectComplete(viewer, text);
    },
    60 * SECONDS,
  );

  test(
    "in a cluster, no acknowledged event is lost when a shard's master is killed under load",
    async () => {
      await using redis = await startCluster();
      await using load = await startLoad({ redis: redis.url, waitReplicas: 1 });
      const ids = upTo(9).map(freshId);
      const appending = ids.map((id) => appendOn(load.log, id));
      await until(() => appending.every(({ acknowledged }) => acknowledged.length > 20), {
        timeoutMs: 10 * SECONDS,
      });
      const killed = await redis.ownerOf(`{${ids[0]}}`);
      await killed.kill();
      await until(async () => (await redis.ownerOf(`{${ids[0]}}`)) !== killed, { timeoutMs: 15 * SECONDS });
      // The new master has no replica, so nothing is acknowledged there until the old one is back as its replica.
      await killed.restart();
      const before = appending.map(({ acknowledged }) => acknowledged.length);
      await until(() => appending.every(({ acknowledged }, i) => acknowledged.length > before[i]! + 20), {
        timeoutMs: 15 * SECONDS,
      });
      for (const [i, one] of appending.entries()) await expectKept(load.log, ids[i]!, one);
    },
    60 * SECONDS,
  );

  test('no append is acknowledged without a replica; resent when there is one, it is in the log once', async () => {
    await using redis = await startMaster();
    const log = createRedisLog({ redis: redis.url, waitReplicas: 1, commandTimeoutMs: 900 });
    const plain = createRedisLog({ redis: redis.url });
    try {
      const id = freshId();
      const head = await take(plain, id);
      const sent = request(head, [chunk('1')], { batch: 'b1' });
      await expect(log.append(id, sent)).rejects.toMatchObject(UNAVAILABLE);
      await expect(log.append(id, sent)).rejects.toThrow(/0 of 1 replicas/);
      await expect(log.open(id, { numbering: 'auto', attempt: 1 })).rejects.toMatchObject(UNAVAILABLE);
      // Reads wait neither for replicas nor for calls that do.
      expect(texts((await log.read(id, 0, 10))!.events)).toEqual(['1']);
      await using replica = await startReplica(redis);
      expect(await until(() => log.append(id, sent))).toEqual({ outcome: 'appended', head: 1 });
      expect(await askServer(replica.port, (client) => client.xlen(`stream:log:{${id}}`))).toBe(1);
    } finally {
      await Promise.all([log.close(), plain.close()]);
    }
  });

  const REPEATED = {
    'recognised by its batch name': { numbering: 'auto', events: [chunk('1')], rest: { batch: 'b1' } },
    'recognised by its seqs': { numbering: 'fixed', events: fixed(1, '1'), rest: {} },
  } as const;

  test.each(Object.entries(REPEATED))(
    'the acknowledgement of a repeated append (%s) waits for the replicas too, on any connection',
    async (_, { numbering, events, rest }) => {
      await using redis = await startMaster();
      await using replica = await startReplica(redis);
      const plain = createRedisLog({ redis: redis.url });
      const id = freshId();
      const head = await take(plain, id, { numbering });
      replica.freeze();
      const sent = request(head, events, rest);
      expect(await plain.append(id, sent)).toEqual({ outcome: 'appended', head: 1 });
      await plain.close();
      const other = createRedisLog({ redis: redis.url, waitReplicas: 1, commandTimeoutMs: 900 });
      try {
        await expect(other.append(id, sent)).rejects.toMatchObject(UNAVAILABLE);
        replica.thaw();
        expect(await until(() => other.append(id, sent))).toEqual({ outcome: 'appended', head: 1 });
      } finally {
        await other.close();
      }
    },
  );

  test('concurrent appends share a WAIT', async () => {
    await using redis = await startMaster();
    await using _ = await startReplica(redis);
    const log = createRedisLog({ redis: redis.url, waitReplicas: 1 });
    try {
      const ids = upTo(100).map(freshId);
      const heads = await Promise.all(ids.map((id) => take(log, id)));
      const calls = async () => {
        const stats = (await askServer(redis.port, (client) => client.info('commandstats'))) ?? '';
        return Number(/cmdstat_wait:calls=(\d+)/.exec(stats)?.[1] ?? 0);
      };
      const before = await calls();
      await Promise.all(ids.map((id, i) => log.append(id, request(heads[i]!, [chunk('1')]))));
      expect((await calls()) - before).toBeLessThan(20);
    } finally {
      await log.close();
    }
  });
});
