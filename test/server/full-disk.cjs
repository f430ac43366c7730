// Preloaded into a server process: while the file that FULL_DISK names exists, Postgres' write-ahead log cannot be
// written, as on a full disk.
const fs = require('node:fs');
const { syncBuiltinESMExports } = require('node:module');

const { openSync, writeSync } = fs;
const logFiles = new Set();

fs.openSync = (path, ...rest) => {
  const fd = openSync(path, ...rest);
  if (String(path).includes('pg_wal')) logFiles.add(fd);
  else logFiles.delete(fd);
  return fd;
};

fs.writeSync = (fd, ...rest) => {
  if (logFiles.has(fd) && fs.existsSync(process.env.FULL_DISK)) {
    throw Object.assign(new Error('ENOSPC: no space left on device, write'), {
      code: 'ENOSPC',
      syscall: 'write',
    });
  }
  return writeSync(fd, ...rest);
};

syncBuiltinESMExports();
