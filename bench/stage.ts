// Everything that a run needs besides the servers: Redis, Postgres if it is installed, the generator and a
// temporary folder.
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PostgresServer } from '../scripts/postgres.ts';
import { RedisServer } from '../scripts/redis.ts';
import { installCommand } from '../scripts/service-table.ts';
import { findPart, POSTGRES, REDIS } from '../scripts/test-services.ts';
import { moveToCore } from './cores.ts';
import { type Generator, startGenerator } from './generator/client.ts';
import type { CrowdSpec, Measured, Pace, TargetSpec } from './generator/turn.ts';
import type { Place, ServerKind, ServerUnderTest } from './servers/server.ts';

/** A running server with its feed. */
export class Staged {
  readonly kind: ServerKind;
  readonly server: ServerUnderTest;
  /** Its name in the generator; several servers of one kind may run. */
  readonly #name: string;
  readonly #generator: Generator;

  constructor(kind: ServerKind, server: ServerUnderTest, name: string, generator: Generator) {
    this.kind = kind;
    this.server = server;
    this.#name = name;
    this.#generator = generator;
  }

  /** The measured streams of this server. */
  get subjects(): string[] {
    return Object.keys(this.server.requests);
  }

  target(subject: string): TargetSpec {
    const { port, pids, requests } = this.server;
    return { port, pids, request: requests[subject]! };
  }

  begin(executions: number): Promise<undefined> {
    return this.#generator.call('begin', { server: this.#name, executions });
  }

  fill(events: number): Promise<undefined> {
    return this.#generator.call('fill', { server: this.#name, events });
  }

  connect(subject: string, crowdSpec: CrowdSpec): Promise<undefined> {
    return this.#generator.call('connect', {
      server: this.#name,
      target: this.target(subject),
      crowdSpec,
    });
  }

  measure(subject: string, pace: Pace): Promise<Measured> {
    return this.#generator.call('measure', { server: this.#name, target: this.target(subject), pace });
  }

  stopReading(share: number): Promise<number> {
    return this.#generator.call('stopReading', { server: this.#name, share });
  }

  disconnect(): Promise<undefined> {
    return this.#generator.call('disconnect', { server: this.#name });
  }

  async stop(): Promise<void> {
    try {
      await this.#generator.call('close', { server: this.#name });
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

  /** @throws Error with instructions if Redis is not installed */
  static async create(dist: string): Promise<Stage> {
    const binary = findPart(REDIS);
    if (!binary) throw new Error(`the benchmark needs ${REDIS.name}: ${installCommand([REDIS])}`);
    const folder = mkdtempSync(join(tmpdir(), 'execstream-bench-'));
    // All files are in this folder, so that an interrupted run leaves none. Postgres runs as another user.
    chmodSync(folder, 0o711);
    process.env.TEST_FOLDER = folder;
    process.once('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
    // Processes started from here on inherit this core, including Postgres backends; servers are pinned to their
    // own.
    moveToCore('generator', process.pid);
    const bin = findPart(POSTGRES);
    const [redis, postgres] = await Promise.all([
      RedisServer.start({ binary }),
      // Without Postgres, our server embeds a database, whose cost is then included.
      bin === undefined ? undefined : PostgresServer.start({ bin }),
    ]);
    const place = { redisUrl: redis.url, databaseUrl: postgres?.url, folder, dist };
    return new Stage(place, postgres ? [redis, postgres] : [redis], startGenerator());
  }

  async start(kind: ServerKind): Promise<Staged> {
    const server = await kind.start(this.place);
    const name = `${kind.name} on ${server.port}`;
    await this.#generator.call('feed', { server: name, spec: server.feed });
    return new Staged(kind, server, name, this.#generator);
  }

  async stop(): Promise<void> {
    await this.#generator.close();
    await Promise.all(this.#stores.map((store) => store.stop()));
  }
}
