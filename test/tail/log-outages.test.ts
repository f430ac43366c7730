// One log line at the start and one at the end of an outage, however many tails it concerns.
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { ExecstreamError } from '../../src/event/errors.ts';
import { LogOutages } from '../../src/tail/log-outages.ts';

const away = new ExecstreamError('SOURCE_UNAVAILABLE', 'Redis did not respond', {
  cause: new Error('ECONNRESET'),
});
const logger = { error: vi.fn(), info: vi.fn() };
let outages: LogOutages;
beforeEach(() => {
  vi.clearAllMocks();
  outages = new LogOutages(logger);
});

describe('an outage', () => {
  test('is logged once with its cause, and once when the last log can be read again', () => {
    outages.began('a', away);
    outages.began('b', away);
    outages.began('a', away);
    expect(logger.error.mock.calls).toEqual([
      [{ err: away, executionId: 'a' }, 'logs cannot be read: viewers wait, retrying'],
    ]);
    outages.ended('a');
    expect(logger.info).not.toHaveBeenCalled();
    outages.ended('b');
    outages.ended('b');
    expect(logger.info.mock.calls).toEqual([[{}, 'logs can be read again']]);
    outages.began('c', away);
    expect(logger.error).toHaveBeenCalledTimes(2);
  });

  test('of one execution, such as a corrupt log, is logged each time, and hides no other', () => {
    const corrupt = new ExecstreamError('LOG_CORRUPT', 'log of a is corrupt');
    outages.began('a', corrupt);
    outages.began('b', away);
    expect(logger.error.mock.calls.map(([{ err }]) => err)).toEqual([corrupt, away]);
    outages.ended('b');
    expect(logger.info).toHaveBeenCalledTimes(1);
  });
});

test('a logger may have errors alone', () => {
  const errors = new LogOutages({ error: () => {} });
  errors.began('a', away);
  expect(() => errors.ended('a')).not.toThrow();
});
