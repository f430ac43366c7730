// What the log keeps in Redis: keys, payloads, subscriptions and connections.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { EventLog } from '../../src/log/log.ts';
import { createRedisLog } from '../../src/log/redis/redis-log.ts';
import { describeOwnRedis, type RedisServer, startRedis } from '../support/redis.ts';
import { until } from '../support/wait.ts';
import { freshId, logs, request, take } from './logs.ts';
import { chunk, complete, recorder, seqs, TS } from './recorder.ts';

describeOwnRedis('the log in Redis', () => {
  let server: RedisServer;
  let probe: Redis;
  beforeAll(async () => {
    server = await startRedis();
    probe = new Redis(server.url, { connectionName: 'probe' });
  });
  afterAll(async () => {
    probe.disconnect();
    await server.stop();
  });
  const newLog = logs((bounds) => createRedisLog({ redis: server.url, prefix: 'p:', bounds }));

  function keys(id: string): { log: string; meta: string; channel: string } {
    return { log: `p:stream:log:{${id}}`, meta: `p:stream:meta:{${id}}`, channel: `p:stream:events:{${id}}` };
  }

  test('a heartbeat in the future counts as missing', async () => {
    const log = newLog();
    const [future, past] = [freshId(), freshId()];
    await probe.zadd('p:stream:alive', Date.now() + 24 * 60 * 60_000, future, Date.now() - 5_000, past);
    await log.recordMissingHeartbeats([future, past]);
    expect(Number(await probe.zscore('p:stream:alive', future))).toBeLessThanOrEqual(Date.now() + 1_000);
    expect(await log.silenceMs(past)).toBeGreaterThanOrEqual(4_000);
  });

  test('events are stored under the documented keys, and announced in the same bytes', async () => {
    const log = newLog();
    const id = freshId();
    const { log: logKey, meta, channel } = keys(id);
    const head = await take(log, id, { publisher: 'token', attempt: 2 });
    expect(await probe.exists(logKey)).toBe(0);
    const subscriber = probe.duplicate();
    const payload = new Promise<string>((resolve) => subscriber.once('message', (_, text) => resolve(text)));
    await subscriber.subscribe(channel);
    await log.append(id, request(head, [chunk('é"'), chunk('')], { publisher: 'token' }));
    const envelope = (seq: number, content: string) =>
      `{"id":"${seq}-${head.epoch}","seq":${seq},"type":"llm_chunk","ts":"${TS}","attempt":2,"data":{"content":${content}}}`;
    const [one, two] = [envelope(1, '"é\\""'), envelope(2, '""')];
    expect(await probe.xrange(logKey, '-', '+')).toEqual([
      ['1-0', ['e', one]],
      ['2-0', ['e', two]],
    ]);
    expect(await payload).toBe(`{"epoch":"${head.epoch}","events":[${one},${two}]}`);
    subscriber.disconnect();
    expect(await probe.hgetall(meta)).toMatchObject({
      epoch: head.epoch,
      head: '2',
      numbering: 'auto',
      attempt: '2',
      publisher: 'token',
      end: '0',
    });
  });

  test('a log expires with all of its keys after its end, and not before', async () => {
    const log = newLog({ keepEndedMs: 60_000 });
    const id = freshId();
    const { log: logKey, meta } = keys(id);
    const head = await take(log, id);
    await log.append(id, request(head, [chunk('x')]));
    expect([await probe.pttl(logKey), await probe.pttl(meta)]).toEqual([-1, -1]);
    await log.append(id, request(head, [complete()]));
    for (const key of [logKey, meta]) {
      expect(await probe.pttl(key)).toBeGreaterThan(50_000);
      expect(await probe.pttl(key)).toBeLessThanOrEqual(60_000);
    }
    await log.open(id, { numbering: 'auto', attempt: 9, fence: 1 });
    expect(await probe.pttl(meta)).toBeGreaterThan(50_000);
  });

  test.each(['log', 'meta'] as const)('a log counts as gone when its %s key is gone', async (key) => {
    const log = newLog();
    const id = freshId();
    const head = await take(log, id, { publisher: 'a' });
    await log.append(id, request(head, [chunk('x'), chunk('y')], { publisher: 'a' }));
    await probe.del(keys(id)[key]);
    expect(await log.head(id)).toBeUndefined();
    expect(await log.read(id, 0, 10)).toBeUndefined();
    const events = [chunk('z')];
    expect(await log.append(id, { epoch: head.epoch, acknowledged: 0, events })).toEqual({ outcome: 'lost' });
    const again = await take(log, id, { publisher: 'b' });
    expect(again).toMatchObject({ head: 0 });
    expect(again.epoch).not.toBe(head.epoch);
    await log.append(id, request(again, events));
    expect(seqs((await log.read(id, 0, 10))!.events)).toEqual([1]);
  });

  test('a log without events exists once it was opened, though Redis has no empty streams', async () => {
    const log = newLog();
    const id = freshId();
    const head = await take(log, id);
    expect(await probe.exists(keys(id).log)).toBe(0);
    expect(await log.head(id)).toEqual(head);
    expect(await take(log, id)).toEqual(head);
  });

  test('two hundred listeners share one subscription, which ends when all have left', async () => {
    const log = newLog();
    const id = freshId();
    const { channel } = keys(id);
    const head = await take(log, id);
    const heard = Array.from({ length: 200 }, recorder);
    const leave = await Promise.all(heard.map((one) => log.listen(id, one)));
    expect(await probe.pubsub('NUMSUB', channel)).toEqual([channel, 1]);
    await log.append(id, request(head, [chunk('x')]));
    await Promise.all(heard.map((one) => one.heard(1)));
    for (const one of leave) await one();
    await until(async () => ((await probe.pubsub('NUMSUB', channel)) as unknown[])[1] === 0);
  });

  test('an invalid payload is reported as an interruption, and later events are delivered', async () => {
    const log = newLog();
    const id = freshId();
    const { channel } = keys(id);
    const heard = recorder();
    await log.listen(id, heard);
    for (const payload of ['not json', '42', 'null', '{"epoch":"e","events":[{"seq":1}]}', '{"events":[]}']) {
      await probe.publish(channel, payload);
    }
    await log.append(id, request(await take(log, id), [chunk('x')]));
    await heard.heard(1);
    expect(heard.interruptions).toBe(5);
    expect(seqs(heard.events)).toEqual([1]);
  });

  test('scripts that Redis has forgotten are sent again', async () => {
    const log = newLog();
    const id = freshId();
    const head = await take(log, id);
    await log.append(id, request(head, [chunk('x')]));
    await probe.script('FLUSH');
    expect(await log.append(id, request(head, [chunk('y')]))).toEqual({ outcome: 'appended', head: 2 });
  });

  test('no connection is open after close', async () => {
    const names = async () => ((await probe.client('LIST')) as string).match(/name=execstream-\w+/g) ?? [];
    await until(async () => (await names()).length === 0);
    const log: EventLog = createRedisLog({ redis: server.url });
    await log.listen(freshId(), recorder());
    await log.ping();
    expect((await names()).sort()).toEqual(['name=execstream-listen', 'name=execstream-log']);
    await log.close();
    await until(async () => (await names()).length === 0);
  });
});

describe('the writer for workers', () => {
  test('the writer for workers loads only ioredis', () => {
    const loaded = new Set<string>();
    const packages = new Set<string>();
    const load = (file: string) => {
      if (loaded.has(file)) return;
      loaded.add(file);
      for (const [, typeOnly, from] of readFileSync(file, 'utf8').matchAll(
        /^(?:import|export)( type)?[^;]*? from '([^']+)';$/gm,
      )) {
        if (typeOnly) continue;
        if (from!.startsWith('.')) load(join(dirname(file), from!));
        else packages.add(from!);
      }
    };
    load(fileURLToPath(new URL('../../src/log/redis/writer.ts', import.meta.url)));
    expect(loaded.size).toBeGreaterThan(5);
    expect([...packages]).toEqual(['ioredis']);
  });
});
