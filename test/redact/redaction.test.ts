// Redaction by a run: no event, no log line and no row contains a secret, whichever call it was passed to, and the row,
// the terminal event and the stream agree.
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import type { JsonValue } from '../../src/event/events.ts';
import { createPublisher } from '../../src/publish/publisher.ts';
import { mapStrings } from '../../src/redact/map-strings.ts';
import { foldLog } from '../publish/fold.ts';
import { createFaultyLog, createRecorder } from '../publish/rig.ts';
import { createMemoryStore } from '../support/memory-store.ts';
import { cutAt, OWN, OWN_LITERAL, textWithSecrets } from './secrets.ts';

const KEY = `s${'k-'}${'a1B2'.repeat(10)}`;
const OTHER = `gh${'p_'}${'c3D4'.repeat(9)}`;

function rig(redact: Parameters<typeof createPublisher>[0]['redact'] = OWN) {
  const log = createFaultyLog();
  const store = createMemoryStore();
  const logger = createRecorder();
  const limits = { beginMs: 100, endMs: 3_000, callMs: 100, blockMs: 50 };
  const publisher = createPublisher({ log: log.writer, store, logger, limits, redact });
  /** Everything that left the publisher. */
  const output = async (id = 'a1'): Promise<string> =>
    JSON.stringify([
      log.requests,
      (await log.real.read(id, 0, 1_000_000))?.events,
      await store.get(id),
      logger.lines.map(({ message, fields }) => [
        message,
        Object.values(fields).map((v) => (v instanceof Error ? [v.message, v.stack, String(v.cause)] : v)),
      ]),
    ]);
  return { log, store, logger, publisher, output };
}

test('thousands of secrets as keys of one object are replaced in linear time', () => {
  const text = (name: string) => (name.startsWith('secret') ? '[redacted]' : name);
  const keys = Array.from({ length: 20_000 }, (_, i) => `secret${i}`);
  const value = Object.fromEntries([...keys, 'other', '[redacted] 7'].map((key) => [key, 1]));
  const startedAt = performance.now();
  const redacted = Object.keys(mapStrings(value, text) as object);
  // Comparing them in pairs takes more than 20 s.
  expect(performance.now() - startedAt).toBeLessThan(5_000);
  expect(redacted).toHaveLength(keys.length + 2);
  expect(redacted.slice(0, 2)).toEqual(['[redacted]', '[redacted] 2']);
  expect(redacted.at(-1)).toBe('[redacted] 7 2');
});

test('text is published with its secrets replaced, for any cuts, secrets, losses and outages', async () => {
  const places = fc.array(fc.nat(), { maxLength: 8 });
  const between = fc.constantFrom('', '', '', 'lose', 'away', 'back');
  await fc.assert(
    fc.asyncProperty(
      textWithSecrets,
      places,
      fc.array(between, { maxLength: 8 }),
      async (sample, cuts, faults) => {
        vi.useFakeTimers();
        const { publisher, log, store, output } = rig();
        const begun = publisher.begin({ kind: 'agent', id: 'a1' });
        await vi.advanceTimersByTimeAsync(1);
        const run = await begun;
        for (const [i, piece] of cutAt(sample.text, cuts).entries()) {
          void run.text(piece);
          if (faults[i] === 'lose') log.lose();
          if (faults[i]) log.faults.isAway = faults[i] === 'away';
          await vi.advanceTimersByTimeAsync(7);
        }
        log.faults.isAway = false;
        const done = run.complete();
        await vi.advanceTimersByTimeAsync(10_000);
        expect(await done).toBe(true);
        vi.useRealTimers();
        const { text, ends } = await foldLog(log.real, 'a1');
        expect(text).toBe(sample.redacted);
        expect(ends[0]!.data).toMatchObject({ result: sample.redacted });
        expect((await store.get('a1'))!.result).toBe(sample.redacted);
        const all = await output();
        for (const { secret } of sample.secrets)
          expect(all).not.toContain(JSON.stringify(secret).slice(1, -1));
        const total = Object.values(run.stats.redacted).reduce((a, b) => a + b, 0);
        expect(total).toBe(sample.secrets.length);
      },
    ),
    { numRuns: 150 },
  );
}, 60_000);

test('values are published with their secrets replaced while they grow, and the result is the redacted value', async () => {
  await fc.assert(
    fc.asyncProperty(
      textWithSecrets,
      textWithSecrets,
      fc.array(fc.nat(), { maxLength: 5 }),
      async (a, b, cuts) => {
        const { publisher, log, store, output } = rig();
        const run = await publisher.begin({ kind: 'task', id: 'a1', mode: 'STRUCTURED' });
        const value = (text: string): JsonValue => ({ list: [text, { deep: b.text }], [`key ${b.text}`]: 1 });
        let grown = '';
        for (const piece of cutAt(a.text, cuts)) {
          grown += piece;
          run.value(value(grown));
        }
        await run.complete();
        const expected = { list: [a.redacted, { deep: b.redacted }], [`key ${b.redacted}`]: 1 };
        const { value: folded, ends } = await foldLog(log.real, 'a1');
        expect(folded).toEqual(expected);
        expect(ends[0]!.data).toMatchObject({ result: expected });
        expect((await store.get('a1'))!.result).toEqual(expected);
        const all = await output();
        for (const { secret } of [...a.secrets, ...b.secrets])
          expect(all).not.toContain(JSON.stringify(secret).slice(1, -1));
      },
    ),
    { numRuns: 150 },
  );
}, 60_000);

describe('a growing value', () => {
  test('the end of a string that may become a secret is shown once it is decided, a harmless end immediately', async () => {
    const { publisher, log } = rig();
    const run = await publisher.begin({ kind: 'task', id: 'a1', mode: 'STRUCTURED' });
    const seen = async (): Promise<JsonValue> => {
      await vi.waitFor(() => expect(run.stats.queuedBytes).toBe(0));
      return (await foldLog(log.real, 'a1')).value;
    };
    run.value({ url: 'http://localhost:8080', word: 'these', key: `is ${KEY.slice(0, 14)}` });
    expect(await seen()).toEqual({ url: 'http://localhost:8080', word: 'these', key: 'is ' });
    run.value({ url: 'http://localhost:8080', word: 'these', key: `is ${KEY.slice(0, 14)} no` });
    expect(await seen()).toMatchObject({ key: `is ${KEY.slice(0, 14)} no` });
    run.value({ key: KEY.slice(0, 14) });
    await run.complete();
    expect(await seen()).toEqual({ key: KEY.slice(0, 14) });
    expect((await foldLog(log.real, 'a1')).ends[0]!.data).toMatchObject({
      result: { key: KEY.slice(0, 14) },
    });
  });

  test('a secret that stays in a growing value is counted once', async () => {
    const { publisher } = rig();
    const run = await publisher.begin({ kind: 'task', id: 'a1', mode: 'STRUCTURED' });
    for (let n = 0; n < 20; n++) run.value({ n, a: KEY, b: OTHER });
    expect(run.stats.redacted).toEqual({ sk: 1, github: 1 });
  });
});

test('everything passed to a run is redacted: begin, events, steps, warnings, usage, errors and log lines', async () => {
  const { publisher, log, store, logger, output } = rig();
  const aws = 'abcdEFGH1234/+abcdEFGH1234/+abcdEFGH1234';
  const run = await publisher.begin({
    kind: 'agent',
    id: 'a1',
    name: `name ${KEY}`,
    action: `act ${KEY}`,
    input: {
      header: `Bearer ${OTHER}`,
      [KEY]: 1,
      [`${KEY} `]: [OWN_LITERAL],
      env: { AWS_SECRET_ACCESS_KEY: aws },
    },
  });
  run.status('RUNNING', `step ${KEY}`);
  run.toolCall({
    toolCallId: 't1',
    toolName: 'n',
    status: 'started',
    args: { secretAccessKey: [aws], q: KEY },
  });
  run.toolCall({ toolCallId: 't1', toolName: 'n', status: 'failed', result: [[KEY]], error: `no ${OTHER}` });
  run.warning('W', `${KEY} and ${KEY}`);
  run.emit('agent_status', { status: 'RUNNING', step: `postgres://u:${'pw'}@h/d` });
  run.usage({ inputTokens: 1, outputTokens: 1, totalTokens: 2, model: `m ${KEY}` });
  expect(
    await run.toolCall({ toolCallId: 't', toolName: KEY, status: 'failed', error: 'x'.repeat(70_000) }),
  ).toBe(false);
  const { finish } = store;
  let calls = 0;
  store.finish = async (id, attempt, end) => {
    calls += 1;
    if (calls < 3) throw new Error(`cannot reach postgres://u:${'pw'}@h/d`, { cause: new Error(OTHER) });
    return finish(id, attempt, end);
  };
  await run.fail(Object.assign(new Error(`401 for ${KEY}`), { code: OTHER }));
  const all = await output();
  for (const secret of [KEY, OTHER, OWN_LITERAL, aws, 'u:pw']) expect(all).not.toContain(secret);
  expect(logger.lines.some(({ message }) => message.startsWith('finish: store unavailable'))).toBe(true);
  expect((await store.get('a1'))!.input).toEqual({
    header: 'Bearer [redacted]',
    '[redacted]': 1,
    '[redacted] ': ['[redacted]'],
    env: { AWS_SECRET_ACCESS_KEY: '[redacted]' },
  });
  const { ends } = await foldLog(log.real, 'a1');
  expect(ends[0]!.data).toMatchObject({
    message: '401 for [redacted]',
    code: '[redacted]',
    usage: { model: 'm [redacted]' },
  });
  expect(run.stats.redacted).toEqual({ sk: 11, bearer: 1, github: 2, aws: 2, uri: 1, literal: 1 });
});

describe('text and other events', () => {
  test('text and tool calls keep their order, and a secret with a tool call inside is replaced from there on', async () => {
    const { publisher, log, output } = rig();
    const run = await publisher.begin({ kind: 'agent', id: 'a1' });
    const call = { toolCallId: 't1', toolName: 'n', status: 'started' } as const;
    run.text('these');
    run.toolCall(call);
    run.text(` words, ${KEY.slice(0, 5)}`);
    run.toolCall({ ...call, toolCallId: 't2' });
    run.text(KEY.slice(5, 15));
    run.toolCall({ ...call, toolCallId: 't3' });
    run.text(`${KEY.slice(15)} end`);
    await run.complete();
    const { events, text } = await foldLog(log.real, 'a1');
    const order = events.flatMap((e) =>
      e.type === 'llm_chunk' ? [e.data.content] : e.type === 'tool_call' ? [e.data.toolCallId] : [],
    );
    expect(order).toEqual(['these', 't1', ` words, ${KEY.slice(0, 5)}`, 't2', '[redacted]', 't3', ' end']);
    expect(text).toBe(` words, ${KEY.slice(0, 5)}[redacted] end`.replace(/^/, 'these'));
    expect(await output()).not.toContain(KEY.slice(5, 15));
    expect(run.stats.redacted).toEqual({ sk: 1 });
  });

  test('text that is held back is published when the run is abandoned, fails or is closed', async () => {
    for (const end of ['abandon', 'fail', 'close'] as const) {
      const { publisher, log } = rig();
      const run = await publisher.begin({ kind: 'agent', id: 'a1' });
      run.text('not a secret: sk-abc');
      if (end === 'close') await publisher.close();
      else await run[end](new Error('x'));
      expect((await foldLog(log.real, 'a1')).text).toBe('not a secret: sk-abc');
    }
  });
});

test('the result passed to complete() is redacted, and redact: false replaces nothing', async () => {
  const { publisher, store, log } = rig();
  const run = await publisher.begin({ kind: 'workflow', id: 'a1' });
  await run.complete({ keys: [KEY] });
  expect((await store.get('a1'))!.result).toEqual({ keys: ['[redacted]'] });
  expect((await foldLog(log.real, 'a1')).ends[0]!.data).toMatchObject({ result: { keys: ['[redacted]'] } });
  const off = rig(false);
  const plain = await off.publisher.begin({ kind: 'agent', id: 'a1', input: KEY });
  plain.text(KEY);
  await plain.complete();
  expect((await foldLog(off.log.real, 'a1')).text).toBe(KEY);
  expect(plain.stats.redacted).toEqual({});
  expect(() => createPublisher({ ...off, log: off.log.writer, redact: { literals: ['x'] } })).toThrow(
    'literals: expected',
  );
});
