// A run whose request its caller aborts is CANCELED, with every SDK and at any time. The AI SDK has its cases in
// ai-sdk.test.ts.
import { describe, expect, test } from 'vitest';
import { completeWith, type ExecutionPublisher } from '../../../src/worker.ts';
import { describeModelSdks, replayModel } from '../../support/model-sdks.ts';
import { CLIENTS } from './clients.ts';
import { outcomeOf } from './run.ts';

describeModelSdks.each(CLIENTS)('$title', ({ body, open, publish }) => {
  /** Calls back after the first text, while the server sends nothing more. */
  function afterText(run: ExecutionPublisher, callback: () => void): ExecutionPublisher {
    const text: ExecutionPublisher['text'] = async (delta) => {
      const isPublished = await run.text(delta);
      callback();
      return isPublished;
    };
    return new Proxy(run, { get: (of, name) => (name === 'text' ? text : Reflect.get(of, name)) });
  }

  test.each([undefined, new Error('the user left'), 'a reason that is a text'])(
    'an abort of its signal with the reason %j ends the run as CANCELED',
    async (reason) => {
      await using server = await replayModel({ body, end: 'hang' });
      const abort = new AbortController();
      const { text, end } = await outcomeOf((run) =>
        completeWith(run, async () => {
          const stream = await open(server, { signal: abort.signal });
          return publish(
            afterText(run, () => abort.abort(reason)),
            stream,
          );
        }),
      );
      expect(end).toMatchObject({ status: 'CANCELED' });
      expect(text).toBe('Half ');
    },
  );

  test.each([undefined, new Error('the user left')])(
    "an abort of the stream's controller with the reason %j ends the run as CANCELED",
    async (reason) => {
      await using server = await replayModel({ body, end: 'hang' });
      const { end } = await outcomeOf((run) =>
        completeWith(run, async () => {
          const stream = await open(server);
          return publish(
            afterText(run, () => stream.controller.abort(reason)),
            stream,
          );
        }),
      );
      expect(end).toMatchObject({ status: 'CANCELED' });
    },
  );

  test('a signal that has already aborted ends the run as CANCELED', async () => {
    await using server = await replayModel({ body, end: 'hang' });
    const { end, text } = await outcomeOf((run) =>
      completeWith(run, async () => publish(run, await open(server, { signal: AbortSignal.abort() }))),
    );
    expect(end).toMatchObject({ status: 'CANCELED' });
    expect(text).toBe('');
  });

  test('a connection that breaks, or a stream that ends too early, ends the run as FAILED', async () => {
    for (const end of ['break', 'complete'] as const) {
      await using server = await replayModel({ body, end });
      const outcome = await outcomeOf((run) =>
        completeWith(run, async () => publish(run, await open(server)), {
          signal: new AbortController().signal,
        }),
      );
      expect(outcome.end).toMatchObject({ status: 'FAILED' });
      expect(outcome.text).toBe('Half ');
    }
  });
});

describe('completeWith', () => {
  const requestOf = (cause: Error) => new Error(cause.message, { cause });

  test.each([
    ['an AbortError', () => AbortSignal.abort().throwIfAborted()],
    [
      'a failed request with an AbortError as its cause',
      () => Promise.reject(requestOf(AbortSignal.abort().reason)),
    ],
    ['a fetch with an aborted signal', () => fetch('data:,x', { signal: AbortSignal.abort() })],
  ])('%s ends a run as CANCELED, also if it is thrown before the work returns', async (_, work) => {
    const { end, error } = await outcomeOf((run) => completeWith<unknown>(run, work));
    expect(end).toMatchObject({ status: 'CANCELED', message: 'This operation was aborted' });
    expect(error).toMatchObject({ message: 'This operation was aborted' });
  });

  test('the errors of OpenAI and Anthropic are recognised by their class, or by their message in a minified bundle', async () => {
    class APIUserAbortError extends Error {}
    class Minified extends Error {}
    for (const aborted of [new APIUserAbortError('stopped'), new Minified('Request was aborted.')]) {
      const { end } = await outcomeOf((run) => completeWith(run, () => Promise.reject(aborted)));
      expect(end).toMatchObject({ status: 'CANCELED' });
    }
    const { end } = await outcomeOf((run) =>
      completeWith(run, () => Promise.reject(new Minified('timed out'))),
    );
    expect(end).toMatchObject({ status: 'FAILED' });
  });

  test('any error after the signal has aborted ends a run as CANCELED, and before that as FAILED', async () => {
    const abort = new AbortController();
    const work = async () => {
      throw new TypeError('terminated');
    };
    const before = await outcomeOf((run) => completeWith(run, work, { signal: abort.signal }));
    expect(before.end).toMatchObject({ status: 'FAILED', message: 'terminated' });
    abort.abort();
    const after = await outcomeOf((run) => completeWith(run, work, { signal: abort.signal }));
    expect(after.end).toMatchObject({ status: 'CANCELED', message: 'terminated' });
  });

  test('work that is done is SUCCESS although its signal aborts afterwards, and may be a promise', async () => {
    const signal = AbortSignal.abort();
    const { end } = await outcomeOf((run) => completeWith(run, run.text('Done.'), { signal }));
    expect(end).toMatchObject({ status: 'SUCCESS', result: 'Done.' });
  });
});
