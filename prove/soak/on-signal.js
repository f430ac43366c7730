// Loaded into a server before the product (`--import`), so that the soak can ask for its heap after a collection,
// and nothing of that is in the product: on SIGUSR2 it writes one line of JSON to the file that SOAK_FILE names.
import { renameSync, writeFileSync } from 'node:fs';

process.on('SIGUSR2', () => {
  globalThis.gc();
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  const file = process.env.SOAK_FILE;
  writeFileSync(`${file}.new`, JSON.stringify({ heapUsed, external, arrayBuffers }));
  // In one step: who waits for it never reads half of it.
  renameSync(`${file}.new`, file);
});
