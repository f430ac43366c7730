// Functions shared by the scripts that start servers.
import { expect, test } from 'vitest';
import { freePort } from '../../scripts/server-process.ts';

test('freePort does not return a port twice, even if no server listens on it yet', async () => {
  const ports = await Promise.all(Array.from({ length: 500 }, freePort));
  expect(new Set(ports).size).toBe(500);
});
