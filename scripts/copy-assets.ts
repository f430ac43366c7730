// A step of `npm run build`: copies files that the server reads at run time and the compiler does not copy.
import { cpSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SWAGGER_UI_FILES } from '../src/rest/openapi/assets.ts';

const { resolve } = createRequire(import.meta.url);
const path = (name: string) => fileURLToPath(new URL(`../${name}`, import.meta.url));

// Copied, so that an installation does not need swagger-ui-dist, which sends telemetry when it is installed.
const from = dirname(resolve('swagger-ui-dist/package.json'));
const to = path('dist/rest/openapi/swagger-ui');
mkdirSync(to, { recursive: true });
const notices = ['LICENSE', 'NOTICE', 'swagger-ui-bundle.js.LICENSE.txt'];
for (const name of [...Object.keys(SWAGGER_UI_FILES), ...notices]) cpSync(join(from, name), join(to, name));
