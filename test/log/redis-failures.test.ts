// The log in Redis while Redis crashes, loses data, hangs or is unreachable. Each test has its own Redis to kill.
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

/** A plain client to inspect Redis with. */
function newProbe(server: RedisServer): Redis {
  const probe = new Redis(server.url, { connectionName: 'probe' });
  probe.on('error', () => {});
  closers.push(() => probe.disconnect());
  return probe;
}

const UNAVAILABLE = { name: 'ExecstreamError', code: 'SOURCE_UNAVAILABLE' };

describeOwnRedis('a Redis that is killed and started again', () => {
  test('a restart with its data loses nothing, and every listener is notified of the interruption', async () => {
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

  test('listeners are resubscribed after every lost connection, also during a resubscription', async () => {
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

  test('after a restart with an older snapshot an auto writer starts a new epoch with a reset', async () => {
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

  test('after a restart with an older snapshot a source fills up its log again', async () => {
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

  test('after a restart without data the log is gone, and an append reports it as lost', async () => {
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

describeOwnRedis('a Redis that does not respond', () => {
  test('calls fail within their timeout while Redis is down from the start, and succeed once it is up', async () => {
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
    // The failed calls were not queued and sent later.
    expect(await log.head(id)).toBeUndefined();
    const heard = recorder();
    await until(() => log.listen(id, heard));
    await log.append(id, request(await take(log, id), [chunk('x')]));
    await heard.heard(1);
  });

  test('a call that starts when Redis is back after a long outage succeeds within its timeout', async () => {
    const server = await newServer({ appendonly: true });
    // Several, as each one reconnects after its own delays, which have reached their maximum.
    const logs = upTo(10).map(() => newLog(server, { commandTimeoutMs: 1_000 }));
    await Promise.all(logs.map((log) => log.ping()));
    await server.kill();
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    await server.restart();
    await Promise.all(logs.map((log) => log.ping()));
  });

  test('a listener that joins a channel during an outage is rejected, and the other listeners are kept', async () => {
    const server = await newServer();
    const log = newLog(server, { commandTimeoutMs: 300 });
    const id = freshId();
    const heard = recorder();
    await log.listen(id, heard);
    await server.kill();
    await expect(log.listen(id, recorder())).rejects.toMatchObject(UNAVAILABLE);
    await server.restart();
    await until(() => heard.interruptions === 1, { what: 'the notification of the interruption' });
    const head = await until(() => take(log, id));
    await log.append(id, request(head, [chunk('x')]));
    await heard.heard(1);
  });

  test('calls on a frozen Redis fail within their timeout, and succeed once it is thawed', async () => {
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
    // The frozen Redis may have run the append or not: its batch name makes both the same.
    expect(await until(() => log.append(id, sent))).toEqual({ outcome: 'appended', head: 1 });
    await until(() => heard.interruptions > 0, { what: 'the notification of the interruption' });
    await log.append(id, request(head, [chunk('y')]));
    await heard.heard(2);
    expect(texts((await log.read(id, 0, 10))!.events)).toEqual(['x', 'y']);
  });

  test('a subscriber whose connection died silently is reconnected', async () => {
    const server = await newServer();
    const proxy = await silentProxy(server.port);
    const log = newLog(`redis://127.0.0.1:${proxy.port}`, { commandTimeoutMs: 300, checkIntervalMs: 100 });
    const id = freshId();
    const heard = recorder();
    await log.listen(id, heard);
    proxy.silence();
    await until(() => heard.interruptions > 0, { what: 'the dead connection to be detected' });
    const head = await until(() => take(log, id));
    await until(() => log.append(id, request(head, [chunk('x')], { batch: 'b' })));
    await heard.heard(1);
  });

  test('a busy Redis is reported as unavailable', async () => {
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

  test('a master that becomes a replica is unavailable for appends until it is a master again', async () => {
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

  test('a subscription that Redis rejects leaves nothing, and succeeds once it is permitted', async () => {
    const server = await newServer();
    const log = newLog(server, { commandTimeoutMs: 1_000 });
    const probe = newProbe(server);
    const id = freshId();
    await probe.call('ACL', 'SETUSER', 'default', 'resetchannels');
    const rejected = await Promise.allSettled([log.listen(id, recorder()), log.listen(id, recorder())]);
    expect(rejected).toMatchObject([{ reason: UNAVAILABLE }, { reason: UNAVAILABLE }]);
    await probe.call('ACL', 'SETUSER', 'default', 'allchannels');
    const heard = recorder();
    const leave = await log.listen(id, heard);
    await log.append(id, request(await take(log, id), [chunk('x')]));
    await heard.heard(1);
    await leave();
    await until(async () => (await probe.pubsub('CHANNELS')).length === 0);
  });

  test('a call on a closed log is rejected immediately', async () => {
    const server = await newServer();
    const log = newLog(server);
    await log.ping();
    await log.close();
    await expect(log.head(freshId())).rejects.toMatchObject(UNAVAILABLE);
    await expect(log.listen(freshId(), recorder())).rejects.toMatchObject(UNAVAILABLE);
  });

  test('closing does not wait for a Redis that is unreachable or frozen', async () => {
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
    const unreachable = newLog(server);
    const other = expect(unreachable.ping()).rejects.toMatchObject(UNAVAILABLE);
    await unreachable.close();
    await other;
    expect(performance.now() - started).toBeLessThan(3_000);
  });

  test("a worker's calls fail while Redis is unreachable, and succeed later", async () => {
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

/** A TCP proxy whose open connections can be silenced: they stay open but pass no data. New ones work. */
async function silentProxy(target: number): Promise<{ port: number; silence(): void }> {
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
        // Read and dropped, so that no backpressure closes them.
        near.resume();
        far.resume();
        silent.push(near, far);
      }
    },
  };
}
