// A hook of Node's module loader: imports of Temporal's packages, and of the AI SDK, resolve to the versions in SDK_FOLDER.
import { register } from 'node:module';
import { pathToFileURL } from 'node:url';
import { isMainThread } from 'node:worker_threads';

// Hooks run on a thread, which loads this module again.
if (isMainThread) register(import.meta.url);

const parentURL = pathToFileURL(`${process.env.SDK_FOLDER}/package.json`).href;

export function resolve(specifier, context, next) {
  const isThere = /^(@temporalio|@ai-sdk|ai)(\/|$)/.test(specifier);
  return next(specifier, isThere ? { ...context, parentURL } : context);
}
