// How a server is fed: by PUBLISH, as all peers are that listen to Redis; by the append script of our log, which
// publishes as well; or through a publisher endpoint.
import { Redis } from 'ioredis';
import { type ClosableLogWriter, createRedisLogWriter } from '../../src/log/redis/writer.ts';
import { createPoster, type PostSpec } from './poster.ts';

export type FeedSpec =
  | { readonly kind: 'publish'; readonly redisUrl: string }
  /** @param url of the server, over whose HTTP API executions are begun */
  | { readonly kind: 'append'; readonly redisUrl: string; readonly url: string }
  | ({ readonly kind: 'post' } & PostSpec);

export interface Feed {
  /** Makes sure that executions are there. */
  begin(ids: readonly string[]): Promise<void>;
  /** What a viewer names as its cursor that wants what follows on the execution's n-th event. */
  cursor(id: string, n: number): string;
  publish(id: string, n: number, content: string): void;
  /** Resolves when what was published has arrived where it is kept; rejects with the reason where some has not. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

/** How many executions are begun at a time. */
const AT_A_TIME = 16;
/** Executions whose publisher says nothing for 30 s get a warning. */
const ALIVE_EVERY_MS = 10_000;
/** Few are told of at a time, as by publishers that began when they did: a thousand at once hold up all events. */
const ALIVE_STEP_MS = 20;

export function createFeed(spec: FeedSpec): Feed {
  if (spec.kind === 'publish') return createPublishFeed(spec.redisUrl);
  if (spec.kind === 'append') return createAppendFeed(spec);
  return createPostFeed(spec);
}

/** What peers are sent: as large as our envelope's part that viewers see. */
function payload(n: number, content: string): string {
  return JSON.stringify({ id: `${n}-k3f9ab01zzq4`, seq: n, type: 'LLM_CHUNK', attempt: 1, content });
}

function createPublishFeed(redisUrl: string): Feed {
  const redis = new Redis(redisUrl);
  return {
    begin: async () => void (await redis.ping()),
    cursor: (_, n) => `${n}`,
    publish: (id, n, content) => void redis.publish(id, payload(n, content)),
    flush: async () => void (await redis.ping()),
    close: async () => void (await redis.quit()),
  };
}

function createPostFeed(spec: PostSpec): Feed {
  const poster = createPoster(spec);
  return {
    begin: async () => {},
    cursor: (_, n) => `${n}`,
    publish: (id, n, content) => poster.post(id, payload(n, content)),
    flush: async () => {},
    close: async () => poster.close(),
  };
}

interface Begun {
  readonly epoch: string;
  readonly token: string;
  /** Seq behind which our events stand. */
  readonly head: number;
}

function createAppendFeed({ redisUrl, url }: FeedSpec & { kind: 'append' }): Feed {
  const writer: ClosableLogWriter = createRedisLogWriter({ redis: redisUrl });
  const begun = new Map<string, Begun>();
  let last: Promise<unknown> = Promise.resolve();
  let failure: string | undefined;
  let round: Iterator<string> = begun.keys();
  const alive = setInterval(() => {
    const share = Math.ceil((begun.size * ALIVE_STEP_MS) / ALIVE_EVERY_MS);
    for (let i = 0; i < share; i++) {
      const { value: id, done } = round.next();
      if (done) round = begun.keys();
      else void writer.recordHeartbeat(id);
    }
  }, ALIVE_STEP_MS);

  async function beginOne(id: string): Promise<void> {
    const response = await fetch(`${url}/api/v0/executions/agents/${id}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ mode: 'TEXT', agentId: 'bench' }),
    });
    if (response.status !== 201) {
      throw new Error(`${id} could not be begun: ${response.status} ${await response.text()}`);
    }
    begun.set(id, (await response.json()) as Begun);
    await writer.recordHeartbeat(id);
  }

  return {
    begin: async (ids) => {
      const left = ids.filter((id) => !begun.has(id)).reverse();
      const beginOnes = async () => {
        for (let id = left.pop(); id; id = left.pop()) await beginOne(id);
      };
      await Promise.all(Array.from({ length: AT_A_TIME }, beginOnes));
    },
    cursor: (id, n) => `${begun.get(id)!.head + n}-${begun.get(id)!.epoch}`,
    publish: (id, _, content) => {
      const { epoch, token } = begun.get(id)!;
      const ts = new Date().toISOString();
      const event = { type: 'llm_chunk', ts, data: { content } } as const;
      last = writer.append(id, { epoch, acknowledged: 0, publisher: token, events: [event] }).then(
        ({ outcome }) => {
          if (outcome !== 'appended') failure ??= `${id} takes no more events: ${outcome}`;
        },
        (error: unknown) => {
          failure ??= `an event of ${id} could not be appended: ${error}`;
        },
      );
    },
    flush: async () => {
      await last;
      if (failure !== undefined) throw new Error(failure);
    },
    close: async () => {
      clearInterval(alive);
      await writer.close();
    },
  };
}
