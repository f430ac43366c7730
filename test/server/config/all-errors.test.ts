// Every wrong setting is reported, not only the first one.
import { describe, expect, test } from 'vitest';
import { isExecstreamError } from '../../../src/event/errors.ts';
import { readConfig } from '../../../src/server/config/config.ts';
import type { Environment } from '../../../src/server/config/env.ts';

/** The names at the starts of the lines of the error, sorted. */
function wrongSettings(env: Environment): string[] {
  try {
    readConfig(env);
    return [];
  } catch (error) {
    if (!isExecstreamError(error, 'CONFIG')) throw error;
    return error.message
      .split('\n')
      .map((line) => line.split(':')[0]!)
      .sort();
  }
}

describe('readConfig', () => {
  test('reports wrong settings of every section together, each once', () => {
    const env = {
      PORT: 'x',
      LOG_LEVEL: 'loud',
      DATABASE_URL: 'mysql://localhost/x',
      REDIS_URL: 'localhost',
      REDIS_PREFIX: '{a}',
      HEARTBEAT_MS: '0',
      STALLED_MS: '0',
      MAX_STREAMS: '0',
      MAX_QUERY_DEPTH: '0',
      AUTH_SESSION_MS: '0',
      TEMPORAL_LIST: 'maybe',
      TEMPORAL_MAX_REQUESTS_PER_SECOND: '0',
    };
    expect(wrongSettings(env)).toEqual(Object.keys(env).sort());
  });

  test('reports settings that contradict each other beside those that are wrong alone', () => {
    expect(
      wrongSettings({ PORT: 'x', REDIS_WAIT_REPLICAS: '1', AUTH_ISSUER: 'i', AUTH_AUDIENCE: 'a' }),
    ).toEqual(['AUTH_AUDIENCE', 'AUTH_ISSUER', 'PORT', 'REDIS_WAIT_REPLICAS']);
    const jwks = { AUTH_JWKS_URL: 'https://id.example/keys', AUTH_CLOCK_SKEW_SECONDS: '-1' };
    expect(wrongSettings(jwks)).toEqual(['AUTH_AUDIENCE', 'AUTH_CLOCK_SKEW_SECONDS', 'AUTH_ISSUER']);
  });

  test('reports all settings of Temporal', () => {
    const env = {
      TEMPORAL_ADDRESS: 'localhost:7233',
      TEMPORAL_NAMESPACES: 'a:b',
      TEMPORAL_CODEC_ENDPOINT: 'ftp://codec',
      TEMPORAL_CODEC_AUTH: 'a\nb',
      TEMPORAL_CODEC_HEADERS: '=x',
      TEMPORAL_REQUEST_BURST: '0',
    };
    expect(wrongSettings(env)).toEqual(Object.keys(env).sort().slice(1));
  });

  test('reports every wrong item of a list', () => {
    expect(() => readConfig({ CORS_ORIGINS: 'null,https://a.example/,https://b.example' })).toThrow(
      /got "null".*\n.*got "https:\/\/a\.example\/"$/,
    );
    expect(() => readConfig({ TEMPORAL_NAMESPACES: 'a:b,c,d:e' })).toThrow(/"a:b"\n.*"d:e"/);
  });

  test('does not report HOST if authentication is configured, but wrong', () => {
    expect(wrongSettings({ HOST: '0.0.0.0', AUTH_SHARED_KEY: 'short' })).toEqual(['AUTH_SHARED_KEY']);
    expect(wrongSettings({ HOST: '0.0.0.0', PORT: 'x' })).toEqual(['HOST', 'PORT']);
  });

  test('does not show secrets', () => {
    const env = { AUTH_SHARED_KEY: 'hunter2', DATABASE_URL: 'mysql://u:hunter2@h/x' };
    expect(() => readConfig(env)).toThrow(/^(?![\s\S]*hunter2)/);
  });
});
