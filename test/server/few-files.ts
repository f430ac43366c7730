// A listener that prints its log, run with a low limit of open files by open-files.test.ts.
import type { AddressInfo } from 'node:net';
import { createConnections } from '../../src/server/connections.ts';
import { DEFAULT_SERVER_LIMITS } from '../../src/server/limits.ts';
import { logRefusedConnections } from '../../src/server/refused-connections.ts';

const limits = { ...DEFAULT_SERVER_LIMITS, maxConnections: 10_000 };
const { http } = createConnections(limits, (_, response) => response.end('served'));
logRefusedConnections(http, {
  error: (details, message) => console.log(`logged: ${message} ${JSON.stringify(details)}`),
});
http.listen(0, '127.0.0.1', () => console.log(`port ${(http.address() as AddressInfo).port}`));
