// A worker without a logger reports warnings and errors to stderr, in one line each.
import { afterEach, expect, test, vi } from 'vitest';
import { createPublisher } from '../../src/publish/publisher.ts';
import { STDERR } from '../../src/telemetry/stderr-logger.ts';
import { createMemoryStore } from '../support/memory-store.ts';

afterEach(() => void vi.restoreAllMocks());

function capture(): string[] {
  const lines: string[] = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    lines.push(String(text).replace(/^\S+Z /, ''));
    return true;
  });
  return lines;
}

test('lines have the message, the causes and the fields; information is not written', () => {
  const lines = capture();
  STDERR.info({}, 'information');
  const err = new Error('unavailable', { cause: new Error('connection\n  refused') });
  STDERR.warn({ executionId: 'a1', err }, 'retrying');
  STDERR.error({ lost: 3 }, 'lost');
  expect(lines).toEqual([
    'execstream warning: retrying: unavailable: connection refused executionId=a1\n',
    'execstream error: lost lost=3\n',
  ]);
});

test('ids with line breaks and other control characters leave a line in one piece', () => {
  const lines = capture();
  STDERR.warn({ executionId: 'a\r\nb\u001b[31m\u2028c', err: new Error('"a\nb" has ended') }, 'ended');
  expect(lines).toEqual(['execstream warning: ended: "a b" has ended executionId=a b [31m c\n']);
});

test('a publisher without a logger reports a log that is unavailable, with its cause', async () => {
  const lines = capture();
  const away = () => Promise.reject(new Error('no such host'));
  const log = { open: away, append: away, head: away, recordHeartbeat: away } as never;
  const publisher = createPublisher({
    log,
    store: createMemoryStore(),
    limits: { beginMs: 300, closeMs: 100 },
  });
  await publisher.begin({ kind: 'agent', id: 'a1' });
  await publisher.close();
  expect(lines.join('')).toContain(
    'execstream warning: log unavailable: queueing events and retrying: no such host executionId=a1\n',
  );
});

test('a publisher with `logger: false` writes nothing', async () => {
  const lines = capture();
  const away = () => Promise.reject(new Error('no such host'));
  const log = { open: away, append: away, head: away, recordHeartbeat: away } as never;
  const limits = { beginMs: 300, closeMs: 100 };
  const publisher = createPublisher({ log, store: createMemoryStore(), limits, logger: false });
  const run = await publisher.begin({ kind: 'agent', id: 'a1' });
  await run.status('NONE' as never);
  await publisher.close();
  expect(lines).toEqual([]);
});

test('without a process, as in edge runtimes, lines go to the console', () => {
  const lines: unknown[] = [];
  vi.spyOn(console, 'error').mockImplementation((line) => void lines.push(line));
  vi.stubGlobal('process', undefined);
  try {
    STDERR.warn({}, 'retrying');
  } finally {
    vi.unstubAllGlobals();
  }
  expect(lines).toEqual([expect.stringMatching(/execstream warning: retrying$/)]);
});
