// Older versions of Temporal's SDKs for suites, each in a folder.
import { readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe } from 'vitest';
import { findPart, TEMPORAL_SDKS } from '../../scripts/test-services.ts';

const path = findPart(TEMPORAL_SDKS);

/** `describe` for suites that need the SDKs; skipped if they are not installed. */
export const describeTemporalSdks = describe.skipIf(path === undefined);

/** The versions that are installed, and their folders. */
export const TEMPORAL_SDK_FOLDERS: readonly (readonly [version: string, folder: string])[] = (
  path?.split(delimiter) ?? []
).map((folder) => [versionIn(folder), folder]);

function versionIn(folder: string): string {
  const file = join(folder, 'node_modules/@temporalio/worker/package.json');
  return JSON.parse(readFileSync(file, 'utf8')).version;
}
