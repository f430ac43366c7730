// A program that locks a data directory, prints `held` or the error's message, and keeps running:
//
//   node --import tsx test/execution/lock-holder.ts <folder>
import { lockDataDir } from '../../src/execution/database/pglite-lock.ts';

const outcome = lockDataDir(process.argv[2]!).then(
  () => 'held',
  (error: Error) => error.message,
);
process.stdout.write(await outcome);
setInterval(() => {}, 1_000);
