// All that a run needs beside the servers: Redis, Postgres where there is one, the generator, a temporary folder; and the end of it all.
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PostgresServer } from '../scripts/postgres.ts';
import { RedisServer } from '../scripts/redis.ts';
import { installCommand } from '../scripts/service-table.ts';
import { findPart, POSTGRES, REDIS } from '../scripts/test-services.ts';
import { moveToCore } from './cores.ts';
import { type Generator, startGenerator } from './generator/client.ts';
import type { Crowding, Measured, Pace, TargetSpec } from './generator/turn.ts';
import type { Place, ServerKind, ServerUnderTest } from './servers/server.ts';

/** A server that runs and is fed. */
export class Staged {
  readonly kind: ServerKind;
  readonly server: ServerUnderTest;
  /** What the generator knows it by: of one kind, several may run. */
  readonly #name: string;
  readonly #generator: Generator;

  constructor(kind: ServerKind, server: ServerUnderTest, name: string, generator: Generator) {
    this.kind = kind;
    this.server = server;
    this.#name = name;
    this.#generator = generator;
  }

  /** What is measured: one kind of stream of this server. */
  get subjects(): string[] {
    return Object.keys(this.server.requests);
  }

  target(subject: string): TargetSpec {
    const { port, pids, requests } = this.server;
    return { port, pids, request: requests[subject]! };
  }

  begin(executions: number): Promise<undefined> {
    return this.#generator.ask('begin', { server: this.#name, executions });
  }

  fill(events: number): Promise<undefined> {
    return this.#generator.ask('fill', { server: this.#name, events });
  }

  connect(subject: string, crowding: Crowding): Promise<undefined> {
    return this.#generator.ask('connect', {
      server: this.#name,
      target: this.target(subject),
      crowding,
    });
  }

  measure(subject: string, pace: Pace): Promise<Measured> {
    return this.#generator.ask('measure', { server: this.#name, target: this.target(subject), pace });
  }

  stopReading(share: number): Promise<number> {
    return this.#generator.ask('stopReading', { server: this.#name, share });
  }

  disconnect(): Promise<undefined> {
    return this.#generator.ask('disconnect', { server: this.#name });
  }

  async stop(): Promise<void> {
    try {
      await this.#generator.ask('close', { server: this.#name });
    } finally {
      await this.server.stop();
    }
  }
}

export class Stage {
  readonly place: Place;
  readonly #stores: readonly { stop(): Promise<void> }[];
  readonly #generator: Generator;

  private constructor(place: Place, stores: readonly { stop(): Promise<void> }[], generator: Generator) {
    this.place = place;
    this.#stores = stores;
    this.#generator = generator;
  }

  /** @throws Error in words for the one who runs it, where there is no Redis */
  static async set(dist: string): Promise<Stage> {
    const binary = findPart(REDIS);
    if (!binary) throw new Error(`the benchmark needs ${REDIS.name}: ${installCommand([REDIS])}`);
    const folder = mkdtempSync(join(tmpdir(), 'execstream-bench-'));
    // All of it lies in there, so that an interrupted run leaves nothing; Postgres runs as another user.
    chmodSync(folder, 0o711);
    process.env.TEST_FOLDER = folder;
    process.once('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
    // What is started from here on stays with us, but for the servers: backends of Postgres too.
    moveToCore('generator', process.pid);
    const bin = findPart(POSTGRES);
    const [redis, postgres] = await Promise.all([
      RedisServer.start({ binary }),
      // Where there is none, our server embeds one, which costs it what is not its own.
      bin === undefined ? undefined : PostgresServer.start({ bin }),
    ]);
    const place = { redisUrl: redis.url, databaseUrl: postgres?.url, folder, dist };
    return new Stage(place, postgres ? [redis, postgres] : [redis], startGenerator());
  }

  async start(kind: ServerKind): Promise<Staged> {
    const server = await kind.start(this.place);
    const name = `${kind.name} on ${server.port}`;
    await this.#generator.ask('feed', { server: name, spec: server.feed });
    return new Staged(kind, server, name, this.#generator);
  }

  async strike(): Promise<void> {
    await this.#generator.close();
    await Promise.all(this.#stores.map((store) => store.stop()));
  }
}
