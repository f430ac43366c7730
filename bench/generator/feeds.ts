// How events reach a server: by PUBLISH for peers that listen to Redis; by the append script of our log, which also
// publishes; or through a publisher endpoint.
import { Redis } from 'ioredis';
import { type ClosableLogWriter, createRedisLogWriter } from '../../src/log/redis/writer.ts';
import { createPoster, type PostSpec } from './poster.ts';

export type FeedSpec =
  | { readonly kind: 'publish'; readonly redisUrl: string }
  /** @param url the server whose HTTP API begins executions */
  | { readonly kind: 'append'; readonly redisUrl: string; readonly url: string }
  | ({ readonly kind: 'post' } & PostSpec);

export interface Feed {
  /** Makes sure that these executions exist. */
  begin(ids: readonly string[]): Promise<void>;
  /** The cursor of a viewer that wants the events after the n-th event of the execution. */
  cursor(id: string, n: number): string;
  publish(id: string, n: number, content: string): void;
  /** Resolves once the published events are stored; rejects if one could not be stored. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

/** The maximum number of executions that are being begun. */
const MAX_BEGINNING = 16;
/** Below 30 s, after which a silent publisher causes a warning. */
const HEARTBEAT_INTERVAL_MS = 10_000;
/** Heartbeats are spread out, as with independent publishers: a thousand in one batch would delay all events. */
const HEARTBEAT_STEP_MS = 20;

export function createFeed(spec: FeedSpec): Feed {
  if (spec.kind === 'publish') return createPublishFeed(spec.redisUrl);
  if (spec.kind === 'append') return createAppendFeed(spec);
  return createPostFeed(spec);
}

/** The payload for peers: as large as the part of our envelope that viewers receive. */
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
  /** The seq after which our events are appended. */
  readonly head: number;
}

function createAppendFeed({ redisUrl, url }: FeedSpec & { kind: 'append' }): Feed {
  const writer: ClosableLogWriter = createRedisLogWriter({ redis: redisUrl });
  const begun = new Map<string, Begun>();
  let last: Promise<unknown> = Promise.resolve();
  let failure: string | undefined;
  let round: Iterator<string> = begun.keys();
  const heartbeats = setInterval(() => {
    const share = Math.ceil((begun.size * HEARTBEAT_STEP_MS) / HEARTBEAT_INTERVAL_MS);
    for (let i = 0; i < share; i++) {
      const { value: id, done } = round.next();
      if (done) round = begun.keys();
      else void writer.recordHeartbeat(id);
    }
  }, HEARTBEAT_STEP_MS);

  async function beginOne(id: string): Promise<void> {
    const response = await fetch(`${url}/api/v0/executions/agents/${id}`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ mode: 'TEXT', agentId: 'bench' }),
    });
    if (response.status !== 201) {
      throw new Error(`${id} could not begin: ${response.status} ${await response.text()}`);
    }
    begun.set(id, (await response.json()) as Begun);
    await writer.recordHeartbeat(id);
  }

  return {
    begin: async (ids) => {
      const remaining = ids.filter((id) => !begun.has(id)).reverse();
      const beginNext = async () => {
        for (let id = remaining.pop(); id; id = remaining.pop()) await beginOne(id);
      };
      await Promise.all(Array.from({ length: MAX_BEGINNING }, beginNext));
    },
    cursor: (id, n) => `${begun.get(id)!.head + n}-${begun.get(id)!.epoch}`,
    publish: (id, _, content) => {
      const { epoch, token } = begun.get(id)!;
      const ts = new Date().toISOString();
      const event = { type: 'llm_chunk', ts, data: { content } } as const;
      last = writer.append(id, { epoch, acknowledged: 0, publisher: token, events: [event] }).then(
        ({ outcome }) => {
          if (outcome !== 'appended') failure ??= `${id} accepts no more events: ${outcome}`;
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
      clearInterval(heartbeats);
      await writer.close();
    },
  };
}
