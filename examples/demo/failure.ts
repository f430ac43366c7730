// What went wrong, in one line that says what to do about it.
import { isExecstreamError } from '../../src/worker.ts';

/** Explains an error to whoever started the demo; one that nobody foresaw keeps its stack. */
export function explain(error: unknown): string {
  if (isExecstreamError(error)) {
    // The folder of an embedded database that cannot be written is the operating system's word, not ours.
    const cause = error.cause as NodeJS.ErrnoException | undefined;
    const isFolder = cause?.syscall === 'mkdir' || cause?.syscall === 'open';
    if (isFolder)
      return `the folder of the database cannot be used (${cause.message}); set DATA_DIR to another one`;
    return error.message;
  }
  const { code, port, address } = error as NodeJS.ErrnoException & { port?: number; address?: string };
  switch (code) {
    case 'EADDRINUSE':
      return `port ${port} of ${address} is taken; stop what uses it, or choose another: PORT=${(port ?? 4000) + 1} npm start`;
    case 'EACCES':
      return `this user may not open port ${port}; choose one above 1023: PORT=4000 npm start`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `HOST is not an address of this machine (${(error as Error).message}); 127.0.0.1 is the default`;
    default:
      if (!(error instanceof Error)) return String(error);
      // The Temporal SDK's words for a server that it cannot reach, or that refuses it.
      if (error.name === 'TransportError' || error.name === 'ServiceError')
        return `Temporal does not answer (${error.message.slice(0, 200)}); TEMPORAL_ADDRESS names where it is`;
      // The operating system's errors say what they are about.
      return code ? error.message : (error.stack ?? error.message);
  }
}
