// `execstream config`, and wrong settings of `start`.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { freePort } from '../../scripts/server-process.ts';
import { formatSettings } from '../../src/cli/commands/config.ts';
import { PLAIN } from '../../src/cli/view/style.ts';
import { effectiveSettings } from '../../src/server/config/effective.ts';
import { execstream, startExecstream } from './execstream.ts';

vi.setConfig({ testTimeout: 60_000 });

describe('execstream config', () => {
  test('shows the settings that are not defaults, with their sources', () => {
    const flags = { PORT: '80' };
    const env = { ...flags, REDIS_URL: 'redis://:hunter2@redis', MAX_STREAMS: '5' };
    expect(formatSettings(effectiveSettings(env, flags), false, PLAIN)).toBe(
      [
        'Server',
        '  PORT       80                      flag',
        '  REDIS_URL  redis://********@redis  environment',
        '',
        'Limits',
        '  MAX_STREAMS  5  environment',
        '',
      ].join('\n'),
    );
    expect(formatSettings(effectiveSettings({}, {}), false, PLAIN)).toBe(
      'all settings have their defaults; --all shows them\n',
    );
    expect(formatSettings(effectiveSettings({}, {}), true, PLAIN)).toContain(
      '  DATABASE_URL         PGlite in DATA_DIR  default\n',
    );
  });

  test('--json prints all settings, and a wrong one exits with 1', async () => {
    const { code, stdout, stderr } = await execstream('config --json --port x', { HOST: '::1' });
    expect([code, stderr]).toEqual([1, 'execstream: --port: expected 0 to 65535, got "x"\n']);
    expect(JSON.parse(stdout)).toMatchObject({
      PORT: { value: 'x', source: 'flag' },
      HOST: { value: '::1', source: 'environment' },
      DRAIN_MS: { value: '5000', source: 'default' },
    });
  });

  test('--check reports every wrong setting, or that all are valid', async () => {
    expect(await execstream('config --check')).toEqual({
      code: 0,
      stdout: 'all settings are valid\n',
      stderr: '',
    });
    expect(await execstream('config --check --drain-ms -1', { MAX_STREAMS: '0', LOG_LEVEL: 'loud' })).toEqual(
      {
        code: 1,
        stdout: '',
        stderr: [
          'execstream: 3 settings are wrong',
          '  --drain-ms: expected 0 to 600000, got "-1"',
          '  LOG_LEVEL: expected one of fatal, error, warn, info, debug, trace, silent, got "loud"',
          '  MAX_STREAMS: expected 1 to 1000000, got "0"',
          '',
        ].join('\n'),
      },
    );
  });
});

describe('execstream start', () => {
  test('takes settings from flags, before those of the environment', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'execstream-flags-'));
    const port = await freePort();
    const args = `start --port ${port} --data-dir ${folder} --log-level debug --cors-origins https://a.example`;
    await using server = await startExecstream(args, { PORT: 'x', CORS_ORIGINS: 'https://b.example' });
    await server.prints(/"msg":"ready"/);
    expect(server.printed).toContain(`PGlite in ${folder}`);
    const response = await fetch(`http://127.0.0.1:${port}/health/live`, {
      headers: { origin: 'https://a.example' },
    });
    expect(response.headers.get('access-control-allow-origin')).toBe('https://a.example');
    expect(await server.end('SIGTERM')).toBe(0);
    rmSync(folder, { recursive: true, force: true });
  });

  test('reports all wrong settings and flags together, and exits with 1', async () => {
    const args = 'start --port x --host 0.0.0.0 --workers 2';
    expect(await execstream(args, { HEARTBEAT_MS: '1' })).toEqual({
      code: 1,
      stdout: '',
      stderr: [
        'execstream: 4 settings are wrong',
        '  --port: expected 0 to 65535, got "x"',
        '  --host: expected a loopback address while authentication is off, got 0.0.0.0; set AUTH_JWKS_URL or AUTH_SHARED_KEY',
        '  HEARTBEAT_MS: expected 100 to 600000, got "1"',
        '  --workers: requires REDIS_URL and DATABASE_URL',
        '',
      ].join('\n'),
    });
  });
});
