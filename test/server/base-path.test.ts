// Which requests are below a base path, and the form in which links contain it.
import { describe, expect, test } from 'vitest';
import { parseBasePath } from '../../src/server/base-path.ts';

describe('a base path in links', () => {
  test.each([
    ['/', ''],
    ['', ''],
    ['/streams', '/streams'],
    ['/streams/', '/streams'],
    ['/a/b', '/a/b'],
    ['/a b', '/a%20b'],
    ['/a%20b', '/a%20b'],
    ['/läuft', '/l%C3%A4uft'],
    ['/a%2Fb', '/a%2Fb'],
    ['/100%', '/100%25'],
    ['/@me:x,y+z=1$', '/@me:x,y+z=1$'],
    ['/(a)!*~', '/(a)!*~'],
    [`/"><script>'&;`, '/%22%3E%3Cscript%3E%27%26%3B'],
  ])('%j is written as %j', (text, path) => {
    expect(parseBasePath(text).path).toBe(path);
  });

  test.each([
    'streams',
    '//',
    '/a//b',
    '//a',
    '/.',
    '/a/../b',
    '/%2e%2E',
    '/a?b',
    '/a#b',
    '/a\\b',
    '/a\nb',
    '/\ud800',
  ])('%j is rejected', (text) => {
    expect(() => parseBasePath(text)).toThrow(/^basePath: expected a path .*got "/s);
  });
});

describe('the target of a request', () => {
  test.each([
    ['/streams', '/streams', '/'],
    ['/streams', '/streams/', '/'],
    ['/streams', '/streams?a=/b', '/?a=/b'],
    ['/streams', '/streams/graphql?query={a}', '/graphql?query={a}'],
    ['/streams', '/streams//x', '//x'],
    ['/streams', '/%73treams/docs', '/docs'],
    ['/streams', '/streams/a%2Fb', '/a%2Fb'],
    ['/a/b', '/a/b/c', '/c'],
    ['/a b', '/a%20b/c', '/c'],
    ['/läuft', '/l%c3%a4uft/c', '/c'],
    ['/a%2Fb', '/a%2fb/c', '/c'],
    ['/', '/graphql?x', '/graphql?x'],
    ['/streams', '/', undefined],
    ['/streams', '/streamsgraphql', undefined],
    ['/streams', '/Streams', undefined],
    ['/streams', '/other/streams', undefined],
    ['/streams', '/?/streams', undefined],
    ['/a/b', '/a', undefined],
    ['/a/b', '/a%2Fb', undefined],
    ['/streams', '/%zz', undefined],
    ['/streams', '*', undefined],
    ['/streams', 'streams/graphql', undefined],
  ])('below %j, %j is %j', (base, target, rest) => {
    expect(parseBasePath(base).strip(target)).toBe(rest);
  });
});
