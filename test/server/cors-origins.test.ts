// The configured origins of other sites, and the errors for those that no browser would send.
import { expect, test } from 'vitest';
import { readConfig } from '../../src/server/config/config.ts';
import { checkOrigins } from '../../src/server/cors-origins.ts';
import { startApp } from '../support/app.ts';

test.each([
  ['https://a.example', 'https://a.example'],
  ['http://localhost:3000', 'http://localhost:3000'],
  ['http://[::1]:8080', 'http://[::1]:8080'],
  ['HTTPS://App.Example', 'https://app.example'],
  ['https://a.example:443', 'https://a.example'],
  ['http://a.example:80', 'http://a.example'],
  ['https://a.example:80', 'https://a.example:80'],
  ['https://bücher.example', 'https://xn--bcher-kva.example'],
  ['http://[0:0:0:0:0:0:0:1]', 'http://[::1]'],
  ['capacitor://localhost', 'capacitor://localhost'],
  ['chrome-extension://AbcDef', 'chrome-extension://abcdef'],
  ['*', '*'],
])('the origin %s is compared as %s', (text, origin) => {
  expect(checkOrigins('CORS_ORIGINS', [text])).toEqual([origin]);
});

test.each([
  ['localhost', 'expected an origin with its scheme, such as http://localhost, got "localhost"'],
  [
    'localhost:3000',
    'expected an origin with its scheme, such as http://localhost:3000, got "localhost:3000"',
  ],
  ['app.example.com', 'expected an origin with its scheme, such as https://app.example.com, got'],
  ['//a.example', 'expected an origin such as https://app.example.com, got "//a.example"'],
  ['https://', 'expected an origin such as https://app.example.com, got "https://"'],
  ['https:a.example', 'expected an origin such as https://app.example.com, got'],
  ['https://a.example/', 'expected https://a.example, without a path or a trailing slash, got'],
  ['https://a.example:443/app?x#y', 'expected https://a.example, without a path or a trailing slash, got'],
  ['https://a.example?x', 'expected https://a.example, without a path'],
  ['https://ann:secret@a.example', 'expected an origin such as'],
  ['https://ann@a.example', 'expected an origin such as'],
  ['https://a.example\\b', 'expected an origin such as'],
  ['https://a.example:99999', 'expected an origin such as'],
  ['https://a b.example', 'expected an origin such as'],
  [
    'null',
    'expected an origin such as https://app.example.com, got "null", the origin of every sandboxed page',
  ],
  ['https://*.example.com', 'expected * alone, or each origin in full, got "https://*.example.com"'],
])('the origin %s is rejected at the start', async (text, message) => {
  const expected = expect.objectContaining({
    code: 'CONFIG',
    message: expect.stringContaining(`: ${message}`) as string,
  });
  expect(() => readConfig({ CORS_ORIGINS: `https://a.example,${text}` })).toThrow(expected);
  await expect(startApp({ corsOrigins: [text] })).rejects.toThrow(expected);
});

test('`*` cannot be combined with other origins', () => {
  expect(() => readConfig({ CORS_ORIGINS: '*,https://a.example' })).toThrow(
    'CORS_ORIGINS: expected * alone, or origins without *',
  );
  expect(readConfig({ CORS_ORIGINS: '*' }).corsOrigins).toEqual(['*']);
});
