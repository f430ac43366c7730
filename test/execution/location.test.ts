// A store or a writer with a URL of something else, or with a variable that is not set, is rejected when it is created.
import { expect, test } from 'vitest';
import { createPrismaStore } from '../../src/execution/prisma-store.ts';
import { createRedisLogWriter } from '../../src/log/redis/writer.ts';

test.each([
  [
    { url: 'mysql://app:secret@host/app' },
    'url: expected a URL that begins with postgresql:// or postgres://, got mysql://',
  ],
  [{ url: undefined }, 'url: expected a URL that begins with postgresql:// or postgres://, got undefined'],
  [{ url: 'secret' }, 'url: expected a URL that begins with postgresql:// or postgres://, got another text'],
  ['postgres://host/app', 'location: expected { url }, { dataDir } or { memory: true }, got string'],
  [undefined, 'location: expected { url }, { dataDir } or { memory: true }, got undefined'],
  [{ dataDir: '' }, 'location: expected { url }, { dataDir } or { memory: true }, got object'],
])('a store in %o is rejected', (location, message) => {
  const create = () => createPrismaStore(location as never);
  expect(create).toThrow(expect.objectContaining({ code: 'CONFIG', message }));
});

test.each(['http://app:secret@host', 'host:6379', '', undefined])('a log in %o is rejected', (redis) => {
  const message = expect.stringMatching(/^redis: expected a URL that starts with redis:\/\/((?!secret).)*$/);
  const create = () => createRedisLogWriter({ redis: redis as never });
  expect(create).toThrow(expect.objectContaining({ code: 'CONFIG', message }));
});
