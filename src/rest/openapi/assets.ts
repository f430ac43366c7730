// The files of Swagger UI, which renders `/docs`: in a checkout from its package, otherwise from the copies that the
// build places next to this file (scripts/copy-assets.ts).
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

/** Media types by file name. */
export const SWAGGER_UI_FILES: { readonly [name: string]: string } = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'favicon-32x32.png': 'image/png',
};

/** Reads a file of Swagger UI; undefined if there is no file of this name, or if a bundler left the files out. */
export async function readSwaggerUiFile(name: string) {
  const type = Object.hasOwn(SWAGGER_UI_FILES, name) ? SWAGGER_UI_FILES[name] : undefined;
  if (type === undefined) return undefined;
  try {
    return { type, content: await readFile(new URL(name, folder())) };
  } catch {
    return undefined;
  }
}

function folder(): URL {
  if (!import.meta.url.endsWith('.ts')) return new URL('swagger-ui/', import.meta.url);
  return pathToFileURL(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
}
