// The limits that follow from the limit of a message (PROTOCOL.md, "Size limits").
import { expect, test } from 'vitest';
import { DEFAULT_SIZE_LIMITS, sizeLimitsOf } from '../../src/event/size-limits.ts';

test('data has 4 KiB less than a message, and a part has half of it', () => {
  expect(DEFAULT_SIZE_LIMITS).toEqual({ message: 61_440, data: 57_344, part: 28_672 });
  expect(sizeLimitsOf()).toEqual(DEFAULT_SIZE_LIMITS);
  expect(sizeLimitsOf(61_440)).toEqual(DEFAULT_SIZE_LIMITS);
  expect(sizeLimitsOf(61_443)).toEqual({ message: 61_443, data: 57_347, part: 28_673 });
  expect(sizeLimitsOf(16_777_216)).toEqual({ message: 16_777_216, data: 16_773_120, part: 8_386_560 });
});

test.each([61_439, 16_777_217, 61_440.5, Number.NaN, '65536' as unknown as number])(
  '%s is not a limit of a message',
  (messageBytes) => {
    expect(() => sizeLimitsOf(messageBytes)).toThrow(
      expect.objectContaining({
        code: 'BAD_USER_INPUT',
        message: `messageBytes: expected an integer from 61440 to 16777216, got ${messageBytes}`,
      }),
    );
  },
);
