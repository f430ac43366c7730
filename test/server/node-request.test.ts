// The conversion of a Node request: its target, its headers, and a body that a framework may have read.
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { toNodeRequest } from '../../src/server/node-request.ts';

const QUERY = { query: '{ a }', variables: { text: 'zwölf 👩‍🚀' } };

/** A request whose body was read, with what the parser has left. */
async function parsed(body: string, properties: object, headers: object = {}): Promise<IncomingMessage> {
  const request = await requestOf(body, headers);
  await text(request);
  return Object.assign(request, properties);
}

async function requestOf(body: string, headers: object = {}): Promise<IncomingMessage> {
  const common = { method: 'POST', url: '/graphql', httpVersion: '1.1', httpVersionMajor: 1, socket: {} };
  const length = body && { 'content-length': String(Buffer.byteLength(body)) };
  return Object.assign(Readable.from(body ? [Buffer.from(body)] : []), {
    ...common,
    headers: { host: 'localhost', 'content-type': 'application/json', ...length, ...headers },
  }) as never;
}

describe('a body that was read', () => {
  const sent = JSON.stringify(QUERY);

  test.each([
    ['a parsed object', { body: QUERY }],
    ['a text', { body: sent }],
    ['bytes', { body: Buffer.from(sent) }],
    ['the bytes beside the object', { body: { changed: true }, rawBody: Buffer.from(sent) }],
  ])('%s is read again', async (_, properties) => {
    const request = toNodeRequest(await parsed(sent, properties));
    expect(JSON.parse(await text(request.body!))).toEqual(QUERY);
    expect(request.headers['content-length']).toBe(String(Buffer.byteLength(sent)));
  });

  test('headers of what the parser has removed are removed, and those of the request itself stay', async () => {
    const coded = { 'content-encoding': 'gzip', 'transfer-encoding': 'chunked' };
    const original = await parsed(sent, { body: QUERY }, coded);
    const { headers } = toNodeRequest(original);
    expect(headers).not.toHaveProperty('content-encoding');
    expect(headers).not.toHaveProperty('transfer-encoding');
    expect(original.headers).toMatchObject(coded);
  });

  test('a parsed form becomes a form', async () => {
    const form = { query: '{ a }', operationName: ['A', 'B'], nested: { a: '1' } };
    const type = { 'content-type': 'application/x-www-form-urlencoded' };
    const request = toNodeRequest(await parsed('query=x', { body: form }, type));
    expect(await text(request.body!)).toBe('query=%7B+a+%7D&operationName=A&operationName=B');
  });

  test.each([null, false, 0, []])('the parsed value %j is read again', async (body) => {
    const request = toNodeRequest(await parsed(JSON.stringify(body), { body }));
    expect(await text(request.body!)).toBe(JSON.stringify(body));
  });

  test('a body that is not available is an error with the way out', async () => {
    const request = await parsed(sent, {});
    expect(() => toNodeRequest(request)).toThrow(/mount execstream before it/);
  });

  test('a request over HTTP/2 needs no declared length', async () => {
    const request = await parsed(sent, { body: QUERY, httpVersionMajor: 2 });
    delete request.headers['content-length'];
    expect(JSON.parse(await text(toNodeRequest(request).body!))).toEqual(QUERY);
  });
});

describe('a body that was not read', () => {
  test('is the request itself, also if a parser has set an empty object', async () => {
    const request = Object.assign(await requestOf('{}'), { body: {} });
    expect(toNodeRequest(request).body).toBe(request);
    expect(await buffer(request)).toEqual(Buffer.from('{}'));
  });

  test('an empty body that was read is empty', async () => {
    const request = await parsed('', { body: {} });
    expect(await text(toNodeRequest(request).body!)).toBe('');
  });

  test('a GET has none', async () => {
    expect(toNodeRequest(Object.assign(await requestOf(''), { method: 'GET' })).body).toBeUndefined();
  });
});

describe('the target', () => {
  test('is the one before a router removed the path that it is mounted at', async () => {
    const request = Object.assign(await requestOf(''), { url: '/graphql', originalUrl: '/streams/graphql' });
    expect(toNodeRequest(request).url).toBe('/streams/graphql');
  });

  test('loses its stream tokens, also where middleware could log them', async () => {
    const request = Object.assign(await requestOf(''), {
      url: '/stream?access_token=secret&a=1',
      originalUrl: '/streams/stream?access_token=secret&a=1',
    });
    expect(toNodeRequest(request)).toMatchObject({ url: '/streams/stream?a=1', accessTokens: ['secret'] });
    expect([request.url, request.originalUrl]).toEqual(['/stream?a=1', '/streams/stream?a=1']);
  });

  test('may be absolute: then its host replaces that of the headers, which stay as they are', async () => {
    const request = Object.assign(await requestOf(''), { url: 'http://other.example/a' });
    const converted = toNodeRequest(request);
    expect([converted.url, converted.headers.host]).toEqual(['/a', 'other.example']);
    expect(request.headers.host).toBe('localhost');
  });
});
