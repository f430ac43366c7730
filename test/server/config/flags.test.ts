// Settings as flags, and as they are shown by `execstream config`.
import { describe, expect, test } from 'vitest';
import { effectiveSettings } from '../../../src/server/config/effective.ts';
import { SETTING_FLAGS, withFlagNames } from '../../../src/server/config/flags.ts';
import { SECTIONS } from '../../../src/server/config/reference.ts';

describe('flags', () => {
  test('the settings that people change have a flag with the name of the variable', () => {
    expect(SETTING_FLAGS.map(({ flag, placeholder }) => `${flag} <${placeholder}>`)).toEqual([
      '--port <port>',
      '--host <address>',
      '--database-url <url>',
      '--data-dir <folder>',
      '--redis-url <url>',
      '--redis-prefix <prefix>',
      '--cors-origins <origins>',
      '--drain-ms <ms>',
      '--log-level <level>',
      '--heartbeat-ms <ms>',
      '--temporal-address <host:port>',
      '--temporal-namespace <name>',
    ]);
    expect(SETTING_FLAGS[0]!.description).toBe(
      'The port to listen on; 0 selects a free one (PORT; default: 4000)',
    );
  });

  test('no secret has a flag, because other users of a machine can read command lines', () => {
    const settings = Object.values(SECTIONS).flatMap((section) => section.settings);
    const secrets = settings.filter(({ isSecret }) => isSecret);
    expect(secrets.map(({ name }) => name)).toEqual([
      'AUTH_SHARED_KEY',
      'TEMPORAL_API_KEY',
      'TEMPORAL_CODEC_AUTH',
      'TEMPORAL_CODEC_HEADERS',
    ]);
    expect(secrets.filter(({ flag }) => flag)).toEqual([]);
  });

  test('an error names the flag if it has set the value, and otherwise the variable', () => {
    const message = 'PORT: expected a, got "PORT: b"\nREDIS_URL: expected c';
    expect(withFlagNames(message, { PORT: 'b' })).toBe(
      '--port: expected a, got "PORT: b"\nREDIS_URL: expected c',
    );
  });
});

describe('effective settings', () => {
  const shown = (env: Record<string, string>, flags: Record<string, string> = {}) =>
    Object.fromEntries(
      effectiveSettings({ ...env, ...flags }, flags)
        .filter(({ source }) => source !== 'default')
        .map(({ name, value, source }) => [name, [value, source]]),
    );

  test('each setting is listed once with its value and its source', () => {
    const settings = effectiveSettings({}, {});
    expect(settings).toHaveLength(Object.values(SECTIONS).flatMap((section) => section.settings).length);
    expect(settings[0]).toEqual({ section: 'Server', name: 'PORT', value: '4000', source: 'default' });
    expect(shown({ PORT: '1', HOST: '::1', DATA_DIR: '' }, { PORT: '2' })).toEqual({
      PORT: ['2', 'flag'],
      HOST: ['::1', 'environment'],
    });
  });

  test.each([
    ['AUTH_SHARED_KEY', 'hunter2'],
    ['TEMPORAL_CODEC_HEADERS', 'x-key=hunter2'],
    ['DATABASE_URL', 'postgres://app:hunter2@db/app'],
    ['DATABASE_URL', 'postgres://app:hunter2@with@db/app'],
    ['DATABASE_URL', 'postgres://db/app?user=app&password=hunter2&sslmode=require'],
    ['REDIS_URL', 'redis://:hunter2@redis:6379/0'],
    ['REDIS_URL', 'redis+sentinel://:hunter2@a:26379,b:26379/mymaster?sentinelPassword=hunter2'],
    ['TEMPORAL_CODEC_ENDPOINT', 'https://u:hunter2@codec/{namespace}'],
  ])('%s=%s is shown without the secret', (name, text) => {
    const [value] = shown({ [name]: text })[name]!;
    expect(value).not.toContain('hunter2');
    expect(value).toContain('********');
  });

  test('the rest of a URL is shown', () => {
    expect(shown({ DATABASE_URL: 'postgres://app:hunter2@db:5432/app' }).DATABASE_URL).toEqual([
      'postgres://********@db:5432/app',
      'environment',
    ]);
  });
});
