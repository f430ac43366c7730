// The parts of tool calls that OpenAI and other servers with its API send in chat completions.
import { called, chunk } from './chat-chunks.ts';

export const oslo = '{"city":"Oslo"}';
export const rome = '{"city":"Rome"}';
export const start = (toolCallId: string, args: object = { city: 'Oslo' }, toolName = 'weather') => ({
  toolCallId,
  toolName,
  status: 'started',
  args,
});
/** Two calls, with these parts. */
const two = [start('a'), start('b', { city: 'Rome' })];
export const named = { index: 0, name: 'weather' };

/** The parts of tool calls as servers send them, and the calls that they make. */
export const CALLS: [string, object[], object[]][] = [
  [
    'of OpenAI, interleaved',
    [
      called({ ...named, id: 'a', args: '' }),
      called({ index: 1, id: 'b', name: 'weather', args: '' }),
      called({ index: 0, args: '{"city":' }),
      called({ index: 1, args: rome }),
      called({ index: 0, args: '"Oslo"}' }),
    ],
    two,
  ],
  [
    'that all have index 0',
    [called({ ...named, id: 'a', args: oslo }), called({ ...named, id: 'b', args: rome })],
    two,
  ],
  [
    'in pieces that all have index 0',
    [
      called({ ...named, id: 'a', args: '' }),
      called({ index: 0, args: '{"city":' }),
      called({ index: 0, args: '"Oslo"}' }),
      called({ ...named, id: 'b', args: '' }),
      called({ index: 0, args: rome }),
    ],
    two,
  ],
  [
    'without an index',
    [called({ id: 'a', name: 'weather', args: oslo }), called({ id: 'b', name: 'weather', args: rome })],
    two,
  ],
  [
    'in pieces without an index',
    [
      called({ id: 'a', name: 'weather', args: '{"city":' }),
      called({ args: '"Oslo"}' }),
      called({ id: 'b', name: 'weather' }),
      called({ id: 'b', args: rome }),
    ],
    two,
  ],
  [
    'without ids, that all have index 0',
    [called({ ...named, args: oslo }), called({ ...named, args: rome })],
    [start('call-1'), start('call-2', { city: 'Rome' })],
  ],
  [
    'without ids, in pieces that all have index 0',
    [
      called({ ...named, args: '' }),
      called({ index: 0, args: oslo }),
      called({ ...named, args: '' }),
      called({ index: 0, args: rome }),
    ],
    [start('call-1'), start('call-2', { city: 'Rome' })],
  ],
  [
    'of different tools without ids or an index',
    [called({ name: 'weather', args: oslo }), called({ name: 'time', args: '{}' })],
    [start('call-1'), start('call-2', {}, 'time')],
  ],
  [
    'that all have the same id',
    [called({ ...named, id: 'a', args: oslo }), called({ ...named, id: 'a', args: rome })],
    [start('a'), start('a-2', { city: 'Rome' })],
  ],
  [
    'without arguments, that all have index 0',
    [called({ ...named, id: 'a', args: '' }), called({ index: 0, id: 'b', name: 'time', args: '' })],
    [start('a', {}), start('b', {}, 'time')],
  ],
  [
    'whose name is repeated in every chunk',
    [
      called({ ...named, id: 'a', args: '{"city":' }),
      called({ ...named, id: 'a', args: '"Os' }),
      called({ ...named, id: 'a', args: 'lo"}' }),
      called({ ...named, id: 'a', args: '' }),
    ],
    [start('a')],
  ],
  [
    'whose name is repeated in every chunk, without ids',
    [
      called({ ...named, args: '{"city":' }),
      called({ ...named, args: '"Oslo"' }),
      called({ ...named, args: '}' }),
    ],
    [start('call-1')],
  ],
  [
    'whose name comes in pieces',
    [
      called({ index: 0, id: 'a', name: 'wea' }),
      called({ index: 0, name: 'ther' }),
      called({ index: 0, args: oslo }),
    ],
    [start('a')],
  ],
  [
    'with another id in every chunk',
    [
      called({ ...named, id: 'a', args: '' }),
      called({ index: 0, id: 'x', args: '{"city":' }),
      called({ index: 0, id: 'y', args: '"Oslo"}' }),
    ],
    [start('a')],
  ],
  [
    'with empty and null fields',
    [
      called({ ...named, id: 'a', args: null }),
      called({ index: 0, id: '', name: '', args: '{"city":' }),
      called({ index: 0, id: '', name: '', args: '"Oslo"}' }),
    ],
    [start('a')],
  ],
  ['with arguments as an object', [called({ ...named, id: 'a', args: { city: 'Oslo' } })], [start('a')]],
  [
    'with a placeholder for the arguments',
    [
      called({ ...named, id: 'a', args: '{}' }),
      called({ index: 0, args: '{"city":' }),
      called({ index: 0, args: '"Oslo"}' }),
    ],
    [start('a')],
  ],
  [
    'that are repeated in the last chunk',
    [called({ ...named, id: 'a', args: oslo }), called({ ...named, id: 'a', args: oslo })],
    [start('a')],
  ],
  [
    'with white space as a chunk',
    [
      called({ ...named, id: 'a', args: '{"city":"New' }),
      called({ index: 0, args: ' ' }),
      called({ index: 0, args: 'York"}' }),
    ],
    [start('a', { city: 'New York' })],
  ],
  [
    'with braces and quotes in a string',
    [
      called({ ...named, id: 'a', args: '{"city":"}' }),
      called({ ...named, id: 'a', args: '\\"}' }),
      called({ ...named, id: 'a', args: '{"}' }),
    ],
    [start('a', { city: '}"}{' })],
  ],
  [
    'with nested objects in parts that end with a brace',
    [
      called({ ...named, args: '{"a":{}' }),
      called({ ...named, args: ',"b":[{}' }),
      called({ ...named, args: ']}' }),
    ],
    [start('call-1', { a: {}, b: [{}] })],
  ],
  [
    'with arguments that are not valid JSON',
    [called({ ...named, id: 'a', args: '{"city":' })],
    [{ ...start('a'), args: '{"city":' }],
  ],
  ['with a number as id', [called({ ...named, id: 7 as never, args: oslo })], [start('7')]],
  [
    'without an index, interleaved',
    [
      called({ id: 'a', name: 'weather', args: '' }),
      called({ id: 'b', name: 'weather', args: '' }),
      called({ id: 'a', args: oslo }),
      called({ id: 'b', args: rome }),
    ],
    two,
  ],
  [
    'without an index, whose name follows the id',
    [called({ id: 'a' }), called({ name: 'weather', args: oslo })],
    [start('a')],
  ],
  [
    'of different tools without ids, that all have index 0',
    [called({ ...named, args: oslo }), called({ index: 0, name: 'time', args: '{}' })],
    [start('call-1'), start('call-2', {}, 'time')],
  ],
  [
    'with the same arguments and without ids, that all have index 0',
    [called({ ...named, args: oslo }), called({ ...named, args: oslo })],
    [start('call-1'), start('call-2')],
  ],
  [
    'of which the first one has no arguments, without ids, that all have index 0',
    [called({ ...named, args: '{}' }), called({ ...named, args: oslo })],
    [start('call-1', {}), start('call-2')],
  ],
  [
    'whose name is longer in each piece',
    [
      called({ index: 0, id: 'a', name: 'wea' }),
      called({ index: 0, name: 'weather' }),
      called({ index: 0, args: oslo }),
    ],
    [start('a')],
  ],
  [
    'with white space before and after the arguments',
    [
      called({ ...named, id: 'a', args: ' ' }),
      called({ index: 0, args: oslo }),
      called({ index: 0, args: '\n' }),
    ],
    [start('a')],
  ],
  [
    'with escaped quotes and backslashes, without ids, that all have index 0',
    [
      called({ ...named, args: '{"city":"\\"{\\\\"}' }),
      called({ ...named, args: '{"list":[1,[2]]}' }),
      called({ ...named, args: rome }),
    ],
    [
      start('call-1', { city: '"{\\' }),
      start('call-2', { list: [1, [2]] }),
      start('call-3', { city: 'Rome' }),
    ],
  ],
  [
    'as a function_call',
    [
      chunk({ function_call: { name: 'weather', arguments: '' } }),
      chunk({ function_call: { arguments: oslo } }),
    ],
    [start('call-1')],
  ],
];
