// Loaded into a server before the product (`--import`), so that the product needs no code for the soak test: on
// SIGUSR2 it collects garbage and writes the heap's size as one line of JSON to the file in SOAK_FILE.
import { renameSync, writeFileSync } from 'node:fs';

process.on('SIGUSR2', () => {
  globalThis.gc();
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  const file = process.env.SOAK_FILE;
  writeFileSync(`${file}.new`, JSON.stringify({ heapUsed, external, arrayBuffers }));
  // Atomic: the reader never sees a partial file.
  renameSync(`${file}.new`, file);
});
