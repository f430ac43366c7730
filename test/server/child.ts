// The server as a process of its own, for suites that kill it. Configured by the environment, as the real one is.

import { readConfig } from '../../src/server/config/config.ts';
import { createParts, createServices } from '../../src/server/create-execstream.ts';
import { listen } from '../../src/server/node-server.ts';

const config = readConfig();
const logger = { error: (details: object, message: string) => console.error(message, details) };
const { streams, limits } = config;
const settings = { ...streams, retryMs: 50 };
const services = createServices({ ...createParts(config, logger), settings, limits, logger });
const server = await listen(services, config);
console.log(`listening on ${server.url}`);
