// `/openapi.json`, and `/docs`, which renders it without any outside host.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { openApiDocument } from './document.ts';

const require = createRequire(import.meta.url);

/** From src/rest/openapi and from dist/rest/openapi alike. */
const { version } = require('../../../package.json') as { version: string };

const ASSETS: { readonly [name: string]: string } = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'favicon-32x32.png': 'image/png',
};

const START = `SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#docs',
  deepLinking: true,
  docExpansion: 'list',
  defaultModelsExpandDepth: 0,
  // A stream does not end, and the page would wait for it: curl and the console show streams.
  supportedSubmitMethods: [],
});
`;

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>execstream: REST</title>
    <link rel="icon" href="/docs/favicon-32x32.png">
    <link rel="stylesheet" href="/docs/swagger-ui.css">
  </head>
  <body>
    <div id="docs"></div>
    <script src="/docs/swagger-ui-bundle.js"></script>
    <script src="/docs/start.js"></script>
  </body>
</html>
`;

export function openApiJson(): Response {
  return Response.json(openApiDocument(version));
}

export function docsPage(): Response {
  return new Response(PAGE, { headers: { 'Content-Type': 'text/html; charset=utf-8' } });
}

/** A file of the page; undefined where it has none of that name. */
export async function docsAsset(name: string): Promise<Response | undefined> {
  const headers = { 'Cache-Control': 'max-age=3600' };
  if (name === 'start.js') {
    return new Response(START, { headers: { ...headers, 'Content-Type': 'text/javascript; charset=utf-8' } });
  }
  const type = Object.hasOwn(ASSETS, name) ? ASSETS[name] : undefined;
  if (!type) return undefined;
  const file = await readFile(join(dirname(require.resolve('swagger-ui-dist/package.json')), name));
  return new Response(file, { headers: { ...headers, 'Content-Type': type } });
}
