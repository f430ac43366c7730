// The files of Swagger UI, which renders `/docs`: in a checkout those of the package, otherwise copies that the build
// has put beside this file (scripts/copy-assets.ts).
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

/** Their media types. */
export const SWAGGER_UI_FILES: { readonly [name: string]: string } = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'favicon-32x32.png': 'image/png',
};

/** A file of Swagger UI and its media type; undefined if there is none of that name. */
export async function readSwaggerUiFile(name: string) {
  const type = Object.hasOwn(SWAGGER_UI_FILES, name) ? SWAGGER_UI_FILES[name] : undefined;
  return type === undefined ? undefined : { type, content: await readFile(new URL(name, folder())) };
}

function folder(): URL {
  if (!import.meta.url.endsWith('.ts')) return new URL('swagger-ui/', import.meta.url);
  return pathToFileURL(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
}
