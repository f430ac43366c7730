// Publishing never fails the work: no call throws or rejects, whatever it is given, and the result and the log report
// it.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ExecutionPublisher } from '../../src/worker.ts';
import { propertyRuns } from '../support/property-runs.ts';
import { foldLog } from './fold.ts';
import { createRig, type TransportName } from './rig.ts';
import { expectNoUnhandledRejections } from './unhandled-rejections.ts';

expectNoUnhandledRejections();

const circle: { self?: unknown } = {};
circle.self = circle;
const throwing = () => {
  throw new Error('a trap');
};
const hostileProxy = new Proxy(
  {},
  {
    get: throwing,
    has: throwing,
    ownKeys: throwing,
    getPrototypeOf: throwing,
    getOwnPropertyDescriptor: throwing,
  },
);
const revoked = Proxy.revocable({}, {});
revoked.revoke();
const nested = JSON.parse(`${'['.repeat(5_000)}${']'.repeat(5_000)}`);

/** What no call expects. */
const HOSTILE: [name: string, value: unknown][] = [
  ['undefined', undefined],
  ['null', null],
  ['a number', 7],
  ['NaN', Number.NaN],
  ['a BigInt', 7n],
  ['a symbol', Symbol('s')],
  ['a function', () => {}],
  ['an array', [1, [2]]],
  ['a circle', circle],
  ['a BigInt within an object', { a: { b: 1n } }],
  ['a toJSON that throws', { toJSON: throwing }],
  [
    'a getter that throws',
    {
      get id() {
        return throwing();
      },
      get kind() {
        return throwing();
      },
    },
  ],
  ['a toString that throws', { toString: throwing, [Symbol.toPrimitive]: throwing }],
  ['a proxy whose traps throw', hostileProxy],
  ['a revoked proxy', revoked.proxy],
  ['5,000 levels', nested],
  ['300 KB', { text: 'x'.repeat(300_000) }],
  ['a date', new Date(Number.NaN)],
  ['a map', new Map([[circle, circle]])],
  ['an unknown field', { toolCallId: 't', toolName: 'n', status: 'started', colour: 'red' }],
  ['U+0000 and half of a character', 'a\0b\ud800'],
];

type Call = (run: ExecutionPublisher, a: never, b: never) => Promise<unknown>;
const CALLS: { readonly [name: string]: Call } = {
  text: (run, a) => run.text(a),
  simulateText: (run, a, b) => run.simulateText(a, b),
  'simulateText with options': (run, a) => run.simulateText('a text', a),
  value: (run, a) => run.value(a),
  toolCall: (run, a) => run.toolCall(a),
  'toolCall with a result': (run, a) =>
    run.toolCall({ toolCallId: 't', toolName: 'n', status: 'succeeded', result: a }),
  status: (run, a, b) => run.status(a, b),
  usage: (run, a) => run.usage(a),
  warning: (run, a, b) => run.warning(a, b),
  emit: (run, a, b) => run.emit(a, b),
  'emit of a custom event': (run, a) => run.emit('custom', { name: 'n', value: a }),
  flush: (run) => run.flush(),
};
const ENDS: { readonly [name: string]: Call } = {
  complete: (run, a) => run.complete(a),
  fail: (run, a, b) => run.fail(a, b),
  abandon: (run, a) => run.abandon(a),
};

const TRANSPORTS: TransportName[] = ['direct', 'http'];

describe.each(TRANSPORTS)('over the transport %s:', (transport) => {
  test.each(HOSTILE)('begin() with %s resolves to a run that publishes nothing', async (_, value) => {
    const { publisher, logger } = createRig({}, { transport });
    for (const begin of [value, { kind: 'agent', id: value }, { kind: value, id: 'a1' }]) {
      const run = await publisher.begin(begin as never);
      if (run.state === 'open') continue;
      expect(run).toMatchObject({ state: 'rejected', error: { name: 'ExecstreamError' } });
      expect(await run.text('x')).toBe(false);
      expect(await run.complete()).toBe(false);
      expect(run.signal.aborted).toBe(false);
      expect(logger.lines.at(-1)).toMatchObject({
        level: 'error',
        message: expect.stringMatching(/^execution not begun/),
      });
    }
    await publisher.close();
  });

  test.each(HOSTILE)(
    'no publishing call throws or rejects for %s, and the end is recorded',
    async (_, value) => {
      const { publisher, log } = createRig({ batchMs: 0 }, { transport });
      for (const mode of ['TEXT', 'STRUCTURED'] as const) {
        const run = await publisher.begin({ kind: 'agent', id: mode, mode });
        for (const call of Object.values(CALLS)) {
          expect(await call(run, value as never, value as never)).toEqual(expect.any(Boolean));
        }
        expect(await run.complete(value)).toBe(true);
        for (const call of Object.values({ ...CALLS, ...ENDS }))
          await call(run, value as never, value as never);
        expect((await foldLog(log.real, mode)).ends).toHaveLength(1);
      }
    },
  );

  test.each(HOSTILE)('fail() and abandon() with %s do what they are called for', async (_, value) => {
    const { publisher, log } = createRig({}, { transport });
    const first = await publisher.begin({ kind: 'agent', id: 'a1' });
    await first.abandon(value);
    const second = await publisher.begin({ kind: 'agent', id: 'a1' });
    expect(await second.fail(value, value as never)).toBe(true);
    const { ends, warnings } = await foldLog(log.real, 'a1');
    expect(warnings).toEqual(['ATTEMPT_FAILED']);
    expect(ends).toMatchObject([{ type: 'error', data: { status: 'FAILED' } }]);
  });

  test('calls of any kind, in any order, with any values, neither throw nor reject', async () => {
    const other = fc.oneof(
      fc.anything({
        withBigInt: true,
        withDate: true,
        withMap: true,
        withSet: true,
        withNullPrototype: true,
      }),
      fc.string({ unit: 'binary' }),
    );
    // By its index, because fast-check examines constants.
    const value = fc.tuple(fc.nat(3 * HOSTILE.length), other);
    const hostile = ([i, each]: [number, unknown]) => (i < HOSTILE.length ? HOSTILE[i]![1] : each) as never;
    const call = fc.tuple(fc.constantFrom(...Object.values(CALLS), ...Object.values(ENDS)), value, value);
    const kind = fc.constantFrom('workflow', 'agent', 'task');
    const mode = fc.constantFrom('TEXT', 'STRUCTURED', undefined);
    await fc.assert(
      fc.asyncProperty(fc.array(call, { maxLength: 12 }), kind, mode, async (calls, aKind, aMode) => {
        const { publisher } = createRig({ batchMs: 0, endMs: 200 }, { transport });
        const run = await publisher.begin({ kind: aKind, id: 'a1', mode: aMode } as never);
        for (const [each, a, b] of calls) await each(run, hostile(a), hostile(b));
        await publisher.close();
      }),
      { numRuns: propertyRuns(100) },
    );
  }, 60_000);
});

test('a call that is rejected returns false, is counted, and is logged once a minute with its reason', async () => {
  const { publisher, logger } = createRig();
  const run = await publisher.begin({ kind: 'agent', id: 'a1' });
  for (let i = 0; i < 3; i += 1) expect(await run.toolCall({ toolName: 'read' } as never)).toBe(false);
  expect(await run.text('text')).toBe(true);
  expect(run.stats.rejected).toBe(3);
  const lines = logger.lines.filter(({ level }) => level === 'error');
  expect(lines).toMatchObject([
    {
      message: 'toolCall() rejected: nothing was published, and the work continues',
      fields: { executionId: 'a1', err: { code: 'BAD_USER_INPUT' } },
    },
  ]);
});

test('an event that is too large returns false, and viewers get a warning', async () => {
  const { publisher, log } = createRig();
  const run = await publisher.begin({ kind: 'agent', id: 'a1' });
  const call = { toolCallId: 't', toolName: 'n', status: 'failed', error: 'x'.repeat(40_000) } as const;
  expect(await run.toolCall(call)).toBe(false);
  expect(run.stats.rejected).toBe(1);
  await run.complete();
  expect((await foldLog(log.real, 'a1')).warnings).toEqual(['EVENT_TOO_LARGE']);
});

test.each(TRANSPORTS)(
  'a second begin of an ended execution (%s) says so, and aborts the work',
  async (transport) => {
    const { publisher } = createRig({}, { transport });
    await (await publisher.begin({ kind: 'agent', id: 'a1' })).complete('done');
    const run = await publisher.begin({ kind: 'agent', id: 'a1' });
    expect(run).toMatchObject({ id: 'a1', kind: 'agent', state: 'ended', error: { code: 'ENDED' } });
    expect(run.signal.reason).toBe(run.error);
    expect(await run.text('more')).toBe(false);
    expect(await run.complete()).toBe(false);
    expect(run.stats.late).toBe(2);
  },
);

test('the error of an iterable is one of the work, and is thrown', async () => {
  const { publisher, log } = createRig();
  const run = await publisher.begin({ kind: 'agent', id: 'a1' });
  async function* texts() {
    yield 'half';
    yield 7 as never;
    throw new Error('the model failed');
  }
  await expect(run.text(texts())).rejects.toThrow('the model failed');
  await run.complete();
  expect((await foldLog(log.real, 'a1')).text).toBe('half');
  expect(run.stats.rejected).toBe(1);
});

test('a logger that throws fails neither a call nor a timer', async () => {
  const { log, store } = createRig();
  const { createPublisher } = await import('../../src/worker.ts');
  const logger = { info: throwing, warn: throwing, error: throwing };
  const publisher = createPublisher({
    log: log.writer,
    store,
    logger,
    limits: { beginMs: 20, endMs: 50, closeMs: 20 },
  });
  log.faults.isAway = true;
  const run = await publisher.begin({ kind: 'agent', id: 'a1' });
  await run.toolCall({} as never);
  await publisher.begin(undefined as never);
  expect(await run.complete()).toBe(false);
  await publisher.close();
});
