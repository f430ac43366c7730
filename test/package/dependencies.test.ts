// The dependencies in the manifest and the lock file.
import { describe, expect, test } from 'vitest';
import { installed, lock, manifest, nameOf } from './lock-file.ts';

describe('the dependencies', () => {
  test('production dependencies are exact versions, except packages that users install themselves', () => {
    const ranges = Object.entries(manifest.dependencies)
      .filter(([, range]) => !/^\d+\.\d+\.\d+$/.test(range))
      .map(([name]) => name);
    expect(ranges.sort()).toEqual([
      '@temporalio/client',
      '@temporalio/envconfig',
      '@temporalio/proto',
      'graphql',
    ]);
  });

  test('development dependencies are exact versions', () => {
    const ranges = Object.values(manifest.devDependencies).filter((range) => !/^\d+\.\d+\.\d+$/.test(range));
    expect(ranges).toEqual([]);
  });

  test('dependencies bring no telemetry, and no install script except one that checks a version', () => {
    expect(installed.length).toBeGreaterThan(100);
    const names = installed.map(nameOf);
    expect(names).not.toContain('@scarf/scarf');
    expect(names).not.toContain('swagger-ui-dist');
    const withScripts = installed.filter((path) => lock.packages[path]?.hasInstallScript);
    expect(withScripts.map(nameOf)).toEqual(['protobufjs']);
  });
});
