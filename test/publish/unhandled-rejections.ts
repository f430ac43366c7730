// Rejections without a handler, which would end the process of a worker.
import { afterAll, afterEach, beforeAll, expect } from 'vitest';

/** Fails each test of the calling file during which a promise was rejected without a handler. */
export function expectNoUnhandledRejections(): void {
  const unhandled: unknown[] = [];
  const listener = (reason: unknown) => void unhandled.push(reason);
  beforeAll(() => void process.on('unhandledRejection', listener));
  afterEach(() => expect(unhandled).toEqual([]));
  afterAll(() => void process.off('unhandledRejection', listener));
}
