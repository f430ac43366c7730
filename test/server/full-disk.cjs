// Preloaded into a server process: while the file that FULL_DISK names exists, the disk is full for Postgres' write-ahead
// log (if that file contains `pg_wal`) or for its tables (`base`).
const fs = require('node:fs');
const { syncBuiltinESMExports } = require('node:module');

const { openSync, writeSync } = fs;
/** The Postgres folder of each file descriptor: `pg_wal` for the write-ahead log, `base` for tables. */
const kinds = new Map();

fs.openSync = (path, ...rest) => {
  const fd = openSync(path, ...rest);
  kinds.set(fd, /\/(pg_wal|base)\//.exec(String(path))?.[1]);
  return fd;
};

fs.writeSync = (fd, ...rest) => {
  if (kinds.get(fd) !== undefined && kinds.get(fd) === fullFor()) {
    throw Object.assign(new Error('ENOSPC: no space left on device, write'), {
      code: 'ENOSPC',
      syscall: 'write',
    });
  }
  return writeSync(fd, ...rest);
};

function fullFor() {
  try {
    return fs.readFileSync(process.env.FULL_DISK, 'utf8');
  } catch {
    return undefined;
  }
}

syncBuiltinESMExports();
