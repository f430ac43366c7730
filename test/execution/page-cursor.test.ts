// Cursors of lists: every position survives the round trip, and no other text is accepted.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isExecstreamError } from '../../src/event/errors.ts';
import { isExecutionId } from '../../src/event/execution-id.ts';
import { decodePageCursor, encodePageCursor } from '../../src/execution/page-cursor.ts';
import { DIFFICULT_IDS, LONGEST_IDS } from '../support/execution-ids.ts';

const id = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 400 }).filter(isExecutionId),
  fc.constantFrom(...LONGEST_IDS, ...Object.values(DIFFICULT_IDS)),
);
const time = fc.integer({ min: -62_135_596_800_000, max: 8.64e15 });

test('decoding a cursor returns its position, with or without an id', () => {
  fc.assert(
    fc.property(time, fc.option(id, { nil: undefined }), (ms, of) => {
      const position = { startedAt: new Date(ms), ...(of !== undefined && { id: of }) };
      expect(decodePageCursor(encodePageCursor(position))).toEqual(position);
    }),
  );
});

test('a text is either the cursor of the position that it decodes to, or BAD_USER_INPUT', () => {
  const text = fc.oneof(
    fc.string(),
    fc.string({ unit: 'binary' }).map((bytes) => Buffer.from(bytes).toString('base64url')),
    fc.tuple(fc.string(), fc.string()).map((pair) => Buffer.from(pair.join(':')).toString('base64url')),
    fc.tuple(time, fc.string()).map((pair) => Buffer.from(pair.join(':')).toString('base64url')),
  );
  fc.assert(
    fc.property(text, (cursor) => {
      try {
        expect(encodePageCursor(decodePageCursor(cursor))).toBe(cursor);
      } catch (error) {
        if (!isExecstreamError(error, 'BAD_USER_INPUT')) throw error;
      }
    }),
    { numRuns: 2_000 },
  );
});
