// What the scripts that start servers share.
import { expect, test } from 'vitest';
import { freePort } from '../../scripts/server-process.ts';

test('a process is not given a port twice, though its servers have not taken them yet', async () => {
  const ports = await Promise.all(Array.from({ length: 500 }, freePort));
  expect(new Set(ports).size).toBe(500);
});
