// `/openapi.json`, and `/docs`, which renders it without loading anything from another host.
import { VERSION } from '../../telemetry/version.gen.ts';
import { readSwaggerUiFile } from './assets.ts';
import type { JsonSchema } from './json-schema.ts';

/** @param basePath is safe in HTML and in scripts (server/base-path.ts) */
const startScript = (basePath: string) => `SwaggerUIBundle({
  url: '${basePath}/openapi.json',
  dom_id: '#docs',
  deepLinking: true,
  docExpansion: 'list',
  defaultModelsExpandDepth: 0,
  // Swagger UI waits for the end of a response, so it cannot show a stream; curl and the console can.
  supportedSubmitMethods: [],
});
`;

const pageHtml = (basePath: string) => `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>execstream: REST</title>
    <link rel="icon" href="${basePath}/docs/favicon-32x32.png">
    <link rel="stylesheet" href="${basePath}/docs/swagger-ui.css">
  </head>
  <body>
    <div id="docs"></div>
    <script src="${basePath}/docs/swagger-ui-bundle.js"></script>
    <script src="${basePath}/docs/start.js"></script>
  </body>
</html>
`;

/** @param document creates the document for the version of this package */
export function openApiJson(document: (version: string) => JsonSchema): Response {
  return Response.json(document(VERSION));
}

export function docsPage(basePath: string): Response {
  return new Response(pageHtml(basePath), { headers: { 'Content-Type': 'text/html; charset=utf-8' } });
}

/** A file of the page; undefined if there is no file of this name. */
export async function docsAsset(name: string, basePath: string): Promise<Response | undefined> {
  const headers = { 'Cache-Control': 'max-age=3600' };
  if (name === 'start.js') {
    const contentType = { 'Content-Type': 'text/javascript; charset=utf-8' };
    return new Response(startScript(basePath), { headers: { ...headers, ...contentType } });
  }
  const file = await readSwaggerUiFile(name);
  return file && new Response(file.content, { headers: { ...headers, 'Content-Type': file.type } });
}
