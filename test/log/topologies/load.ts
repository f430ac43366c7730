// A publisher under load and viewers that follow it over HTTP, while Redis loses a node.
import { expect } from 'vitest';
import { createRedisLog, type RedisLogOptions } from '../../../src/log/redis/redis-log.ts';
import { createPublisher, createRedisLogWriter } from '../../../src/worker.ts';
import { Reader, type Reading, restUrl } from '../../server/reader.ts';
import { range, startApp } from '../../support/app.ts';
import { createMemoryStore } from '../../support/memory-store.ts';

/** A server with its log, and a worker with its own connection, on one Redis of any topology. */
export async function startLoad(options: RedisLogOptions) {
  const logOptions = { commandTimeoutMs: 1_000, checkIntervalMs: 500, ...options };
  const log = createRedisLog(logOptions);
  const writer = createRedisLogWriter(logOptions);
  const store = createMemoryStore();
  const app = await startApp({ log, store });
  const publisher = createPublisher({
    log: writer,
    store,
    limits: { callMs: 1_500, heldTextBytes: 64 * 1024 * 1024 },
  });
  return {
    log,
    writer,
    app,
    publish: (id: string) => publishOn(publisher, id),
    viewer: (id: string) => new Reader(() => restUrl(app.url, id)),
    async [Symbol.asyncDispose]() {
      await publisher.close();
      await app.close();
      await Promise.all([log.close(), writer.close()]);
    },
  };
}

/** Publishes numbers until `stop`, which resolves with the complete text when all of it is recorded. */
function publishOn(publisher: ReturnType<typeof createPublisher>, id: string) {
  let isRunning = true;
  let published = 0;
  const publishing = (async () => {
    const run = await publisher.begin({ id, kind: 'agent' });
    let text = '';
    for (; isRunning; published += 1) {
      text += `${published} `;
      await run.text(`${published} `);
      // Keeps the texts around it from being merged, so that there are many events.
      await run.toolCall({ toolCallId: `${published}`, toolName: 'n', status: 'started' });
      await new Promise((resolve) => setTimeout(resolve, 3));
    }
    await run.complete();
    return text;
  })();
  return {
    get published() {
      return published;
    },
    stop: () => {
      isRunning = false;
      return publishing;
    },
  };
}

/**
 * Complete: in each epoch that a viewer saw, every seq follows the one before it, or belongs to a `reset`; and its final
 * text is the published one.
 */
export function expectComplete(viewer: Reader, text: string): void {
  expect(viewer.isComplete).toBe(true);
  for (const seen of splitAtResets(viewer.seen)) {
    const seqs = seen.map(({ seq }) => seq);
    expect(seqs).toEqual(range(seqs[0]!, seqs.at(-1)!));
  }
  expect(viewer.text).toBe(text);
}

/** What a viewer saw, split before each `reset`. Warnings are left out: they have no seq of their own. */
function splitAtResets(seen: readonly Reading[]): Reading[][] {
  const parts: Reading[][] = [[]];
  for (const reading of seen) {
    if (reading.type === 'warning') continue;
    if (reading.type === 'reset') parts.push([]);
    parts.at(-1)!.push(reading);
  }
  return parts.filter((part) => part.length > 0);
}
