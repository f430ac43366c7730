// Explains errors in one line, with a solution.
import { isExecstreamError } from '../../src/worker.ts';

/** Explains an error to the person who started the demo; an unexpected error keeps its stack. */
export function explain(error: unknown): string {
  if (isExecstreamError(error)) {
    // Errors of the embedded database's folder come from the operating system.
    const cause = error.cause as NodeJS.ErrnoException | undefined;
    const isFolder = cause?.syscall === 'mkdir' || cause?.syscall === 'open';
    if (isFolder) return `cannot use the database folder (${cause.message}); set DATA_DIR to another folder`;
    return error.message;
  }
  const { code, port, address } = error as NodeJS.ErrnoException & { port?: number; address?: string };
  switch (code) {
    case 'EADDRINUSE':
      return `port ${port} of ${address} is in use; stop the other process, or choose another port: PORT=${(port ?? 4000) + 1} npm start`;
    case 'EACCES':
      return `no permission to listen on port ${port}; choose one above 1023: PORT=4000 npm start`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `HOST is not an address of this machine (${(error as Error).message}); 127.0.0.1 is the default`;
    default:
      if (!(error instanceof Error)) return String(error);
      // Errors of the Temporal SDK if the server is unreachable or rejects the connection.
      if (error.name === 'TransportError' || error.name === 'ServiceError')
        return `Temporal is unreachable (${error.message.slice(0, 200)}); check TEMPORAL_ADDRESS`;
      // Messages of the operating system name the resource.
      return code ? error.message : (error.stack ?? error.message);
  }
}
