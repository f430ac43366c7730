// Redis crashes, forgets, hangs, is away: what the log on Redis then does. Each test kills a Redis of its own.
import { copyFileSync, renameSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterEach, expect, test } from 'vitest';
import type { EventLog } from '../../src/log/log.ts';
import { createRedisLog, type RedisLogOptions } from '../../src/log/redis/redis-log.ts';
import { createRedisLogWriter } from '../../src/log/redis/writer.ts';
import { describeOwnRedis, type RedisServer, startRedis } from '../support/redis.ts';
import { until } from '../support/wait.ts';
import { freshId, request, take } from './logs.ts';
import { chunk, fixed, recorder, seqs, texts, types, upTo } from './recorder.ts';

const closers: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function newServer(options: Parameters<typeof startRedis>[0] = {}): Promise<RedisServer> {
  const server = await startRedis(options);
  closers.push(() => server.stop());
  return server;
}

function newLog(redis: RedisServer | string, options: Partial<RedisLogOptions> = {}): EventLog {
  const log = createRedisLog({ redis: typeof redis === 'string' ? redis : redis.url, ...options });
  closers.push(() => log.close());
  return log;
}

/** A plain client to look into Redis with. */
function newProbe(server: RedisServer): Redis {
  const probe = new Redis(server.url, { connectionName: 'probe' });
  probe.on('error', () => {});
  closers.push(() => probe.disconnect());
  return probe;
}

const UNAVAILABLE = { name: 'ExecstreamError', code: 'SOURCE_UNAVAILABLE' };

describeOwnRedis('a Redis that is killed and started again', () => {
  test('with its data: nothing is lost, and every listener is told of the interruption and hears on', async () => {
    const server = await newServer({ appendonly: true });
    const log = newLog(server);
    const [id, other] = [freshId(), freshId()];
    const head = await take(log, id);
    const [a, b, c] = [recorder(), recorder(), recorder()];
    await Promise.all([log.listen(id, a), log.listen(id, b), log.listen(other, c)]);
    for (const n of upTo(100)) await log.append(id, request(head, [chunk(`${n}`)], { acknowledged: n - 1 }));
    await a.heard(100);
    await server.kill();
    const joined = recorder();
    const joining = log.listen(id, joined);
    await server.restart();
    await joining;
    await until(() => a.interruptions === 1 && b.interruptions === 1 && c.interruptions === 1);
    expect(texts((await log.read(id, 0, 1_000))!.events)).toEqual(upTo(100).map(String));
    expect(await log.append(id, request(head, [chunk('101')], { acknowledged: 100 }))).toEqual({
      outcome: 'appended',
      head: 101,
    });
    await Promise.all([a.heard(101), b.heard(101), joined.heard(101)]);
    expect(seqs(b.events)).toEqual(upTo(101));
    expect(seqs(joined.events)).toEqual([101]);
  });

  test('again and again, while it resubscribes: it comes back each time', async () => {
    const server = await newServer({ appendonly: true });
    const log = newLog(server);
    const heard = recorder();
    const ids = upTo(50).map(freshId);
    for (const id of ids) await log.listen(id, heard);
    const probe = newProbe(server);
    for (const round of upTo(8)) {
      // In some rounds the connection breaks before the resubscription is acknowledged.
      await until(() =>
        probe.call('CLIENT', 'KILL', 'TYPE', round % 2 ? 'pubsub' : 'normal', 'SKIPME', 'yes'),
      );
      if (round === 4) await server.restart();
    }
    await until(async () => (await probe.pubsub('CHANNELS')).length === ids.length);
    const before = heard.interruptions;
    expect(before).toBeGreaterThan(0);
    const last = ids.at(-1)!;
    await log.append(last, request(await take(log, last), [chunk('x')]));
    await heard.heard(1);
  });

  test('with an older snapshot: an auto writer finds its log lost and begins anew with a reset', async () => {
    const server = await newServer();
    const log = newLog(server);
    const probe = newProbe(server);
    const id = freshId();
    const head = await take(log, id, { publisher: 'a' });
    await log.append(id, request(head, [chunk('1'), chunk('2')], { publisher: 'a' }));
    await probe.save();
    const [live, aside] = [join(server.folder, 'dump.rdb'), join(server.folder, 'aside.rdb')];
    copyFileSync(live, aside);
    await log.append(id, request(head, [chunk('3')], { publisher: 'a', acknowledged: 2 }));
    await server.kill();
    rmSync(live);
    renameSync(aside, live);
    await server.restart();
    const late = request(head, [chunk('4')], { publisher: 'a', acknowledged: 3 });
    expect(await log.append(id, late)).toEqual({ outcome: 'lost' });
    const lost = { epoch: head.epoch, acknowledged: 3 };
    const again = await log.open(id, { numbering: 'auto', publisher: 'a', attempt: 1, lost });
    expect(again).toMatchObject({ outcome: 'opened', head: { head: 1 }, isNewEpoch: true });
    const page = await log.read(id, 0, 10);
    expect(page?.epoch).not.toBe(head.epoch);
    expect(types(page!.events)).toEqual(['reset']);
    expect(await log.append(id, late)).toEqual({ outcome: 'lost' });
  });

  test('with an older snapshot: a source fills its log up again', async () => {
    const server = await newServer();
    const log = newLog(server);
    const id = freshId();
    const head = await take(log, id, { numbering: 'fixed' });
    await log.append(id, request(head, fixed(1, 'a', 'b')));
    await newProbe(server).save();
    await log.append(id, request(head, fixed(3, 'c')));
    await server.kill();
    await server.restart();
    const next = { ...request(head, fixed(4, 'd')), acknowledged: 3 };
    expect(await log.append(id, next)).toEqual({ outcome: 'gap', head: 2 });
    expect(await log.append(id, request(head, fixed(3, 'c', 'd')))).toEqual({ outcome: 'appended', head: 4 });
    expect(texts((await log.read(id, 0, 10))!.events)).toEqual(['a', 'b', 'c', 'd']);
  });

  test('empty: the log is gone, and said to be lost', async () => {
    const server = await newServer();
    const log = newLog(server);
    const id = freshId();
    const head = await take(log, id);
    await server.kill();
    await server.restart();
    expect(await log.read(id, 0, 10)).toBeUndefined();
    expect(await log.append(id, request(head, [chunk('x')]))).toEqual({ outcome: 'lost' });
  });
});

describeOwnRedis('a Redis that does not answer', () => {
  test('away at the start: every call fails within its bound, and works by itself once Redis is up', async () => {
    const server = await newServer();
    await server.kill();
    const log = newLog(server, { commandTimeoutMs: 300 });
    const id = freshId();
    const started = performance.now();
    const calls = [
      log.ping(),
      log.head(id),
      log.read(id, 0, 1),
      log.open(id, { numbering: 'auto', attempt: 1 }),
      log.append(id, { epoch: 'goneaway0000', acknowledged: 0, events: [chunk('x')] }),
      log.listen(id, recorder()),
    ];
    for (const call of calls) await expect(call).rejects.toMatchObject(UNAVAILABLE);
    expect(performance.now() - started).toBeLessThan(2_000);
    await server.restart();
    await until(() => log.ping().then(() => true));
    // What failed was not kept back and sent later.
    expect(await log.head(id)).toBeUndefined();
    const heard = recorder();
    await until(() => log.listen(id, heard));
    await log.append(id, request(await take(log, id), [chunk('x')]));
    await heard.heard(1);
  });

  test('away for long: a call that begins when it is back is answered within its bound', async () => {
    const server = await newServer({ appendonly: true });
    // Several, as none of them knows when it is back: each finds out by its own pauses, which are at their longest.
    const logs = upTo(10).map(() => newLog(server, { commandTimeoutMs: 1_000 }));
    await Promise.all(logs.map((log) => log.ping()));
    await server.kill();
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    await server.restart();
    await Promise.all(logs.map((log) => log.ping()));
  });

  test('away: who joins a channel that others hear is refused too, and the others hear on later', async () => {
    const server = await newServer();
    const log = newLog(server, { commandTimeoutMs: 300 });
    const id = freshId();
    const heard = recorder();
    await log.listen(id, heard);
    await server.kill();
    await expect(log.listen(id, recorder())).rejects.toMatchObject(UNAVAILABLE);
    await server.restart();
    await until(() => heard.interruptions === 1, { what: 'the interruption to be told' });
    const head = await until(() => take(log, id));
    await log.append(id, request(head, [chunk('x')]));
    await heard.heard(1);
  });

  test('frozen: calls fail within the bound, the connections are made anew, and then all is well', async () => {
    const server = await newServer();
    const log = newLog(server, { commandTimeoutMs: 400 });
    const id = freshId();
    const head = await take(log, id);
    const heard = recorder();
    await log.listen(id, heard);
    const sent = request(head, [chunk('x')], { batch: 'b1' });
    server.freeze();
    const started = performance.now();
    await expect(log.append(id, sent)).rejects.toMatchObject(UNAVAILABLE);
    await expect(log.listen(freshId(), recorder())).rejects.toMatchObject(UNAVAILABLE);
    await expect(log.read(id, 0, 1)).rejects.toMatchObject(UNAVAILABLE);
    expect(performance.now() - started).toBeLessThan(3_000);
    server.thaw();
    // The frozen Redis may have run it, or not: the batch's name makes that one and the same.
    expect(await until(() => log.append(id, sent))).toEqual({ outcome: 'appended', head: 1 });
    await until(() => heard.interruptions > 0, { what: 'the interruption to be told' });
    await log.append(id, request(head, [chunk('y')]));
    await heard.heard(2);
    expect(texts((await log.read(id, 0, 10))!.events)).toEqual(['x', 'y']);
  });

  test('a subscriber whose connection died silently is found and connected again', async () => {
    const server = await newServer();
    const link = await silentLink(server.port);
    const log = newLog(`redis://127.0.0.1:${link.port}`, { commandTimeoutMs: 300, checkIntervalMs: 100 });
    const id = freshId();
    const heard = recorder();
    await log.listen(id, heard);
    link.silence();
    await until(() => heard.interruptions > 0, { what: 'the dead connection to be found' });
    const head = await until(() => take(log, id));
    await until(() => log.append(id, request(head, [chunk('x')], { batch: 'b' })));
    await heard.heard(1);
  });

  test('a busy Redis is unavailable, not wrong', async () => {
    const server = await newServer({ args: ['--lua-time-limit', '50'] });
    const log = newLog(server, { commandTimeoutMs: 2_000 });
    await log.ping();
    const [busy, probe] = [newProbe(server), newProbe(server)];
    await probe.ping();
    const loop = busy.eval('while true do end', 0).catch(() => {});
    await until(() => probe.ping().catch((error: Error) => error.message.startsWith('BUSY')));
    await expect(log.head(freshId())).rejects.toMatchObject(UNAVAILABLE);
    await probe.call('SCRIPT', 'KILL');
    await loop;
    await until(() => log.ping().then(() => true));
  });

  test('a replica is unavailable for writing, and written again once it is a master', async () => {
    const server = await newServer();
    const log = newLog(server);
    const probe = newProbe(server);
    const id = freshId();
    const head = await take(log, id);
    await probe.call('REPLICAOF', '127.0.0.1', '1');
    await expect(log.append(id, request(head, [chunk('x')]))).rejects.toMatchObject(UNAVAILABLE);
    await probe.call('REPLICAOF', 'NO', 'ONE');
    expect(await until(() => log.append(id, request(head, [chunk('x')])))).toMatchObject({ head: 1 });
  });

  test('a subscription that Redis refuses fails, leaves nothing behind, and goes through once it is allowed', async () => {
    const server = await newServer();
    const log = newLog(server, { commandTimeoutMs: 1_000 });
    const probe = newProbe(server);
    const id = freshId();
    await probe.call('ACL', 'SETUSER', 'default', 'resetchannels');
    const refused = await Promise.allSettled([log.listen(id, recorder()), log.listen(id, recorder())]);
    expect(refused).toMatchObject([{ reason: UNAVAILABLE }, { reason: UNAVAILABLE }]);
    await probe.call('ACL', 'SETUSER', 'default', 'allchannels');
    const heard = recorder();
    const leave = await log.listen(id, heard);
    await log.append(id, request(await take(log, id), [chunk('x')]));
    await heard.heard(1);
    await leave();
    await until(async () => (await probe.pubsub('CHANNELS')).length === 0);
  });

  test('a call on a closed log is refused at once', async () => {
    const server = await newServer();
    const log = newLog(server);
    await log.ping();
    await log.close();
    await expect(log.head(freshId())).rejects.toMatchObject(UNAVAILABLE);
    await expect(log.listen(freshId(), recorder())).rejects.toMatchObject(UNAVAILABLE);
  });

  test('closing does not wait for a Redis that is away or frozen', async () => {
    const server = await newServer();
    const frozen = newLog(server);
    await frozen.ping();
    server.freeze();
    const waiting = expect(frozen.ping()).rejects.toMatchObject(UNAVAILABLE);
    const started = performance.now();
    await frozen.close();
    await waiting;
    server.thaw();
    await server.kill();
    const away = newLog(server);
    const other = expect(away.ping()).rejects.toMatchObject(UNAVAILABLE);
    await away.close();
    await other;
    expect(performance.now() - started).toBeLessThan(3_000);
  });

  test('a worker that finds no Redis gets an error from each call, and goes on', async () => {
    const server = await newServer();
    await server.kill();
    const writer = createRedisLogWriter({ redis: server.url, commandTimeoutMs: 100 });
    closers.push(() => writer.close());
    await expect(writer.ping()).rejects.toMatchObject(UNAVAILABLE);
    await server.restart();
    await until(() => writer.ping().then(() => true));
    const id = freshId();
    const head = await writer.open(id, { numbering: 'auto', attempt: 1 });
    expect(head).toMatchObject({ outcome: 'opened' });
  });
});

/** A TCP link to a port, whose connections can fall silent: open, and nothing passes. New ones pass. */
async function silentLink(target: number): Promise<{ port: number; silence(): void }> {
  const pairs: [Socket, Socket][] = [];
  const silent: Socket[] = [];
  const server: Server = createServer((near) => {
    const far = connect(target, '127.0.0.1');
    pairs.push([near, far]);
    near.pipe(far);
    far.pipe(near);
    for (const end of [near, far]) end.on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => {
    for (const end of [...pairs.flat(), ...silent]) end.destroy();
    server.close();
  });
  return {
    port: (server.address() as { port: number }).port,
    silence() {
      for (const [near, far] of pairs.splice(0)) {
        near.unpipe(far);
        far.unpipe(near);
        // Read and dropped, so that nothing backs up: what is sent goes nowhere.
        near.resume();
        far.resume();
        silent.push(near, far);
      }
    },
  };
}
