// The server as a process, for suites that kill it. Like the real one, it is configured by the environment.

import { readConfig } from '../../src/server/config/config.ts';
import { optionsFromConfig } from '../../src/server/config/from-config.ts';
import { createExecstream } from '../../src/server/create-execstream.ts';
import { listen } from '../../src/server/node-server.ts';

const config = readConfig();
const logger = { error: (details: object, message: string) => console.error(message, details) };
const settings = { ...config.streams, retryMs: 50 };
const services = createExecstream({ ...optionsFromConfig(config, logger), settings });
const server = await listen(services, config);
console.log(`listening on ${server.url}`);
