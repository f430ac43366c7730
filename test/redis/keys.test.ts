// The keys of an execution: in one slot of a cluster and unambiguous, whatever its id.
import { expect, test } from 'vitest';
import { slotOf } from '../../src/redis/cluster/slots.ts';
import { healthKeys, logKeys } from '../../src/redis/keys.ts';
import { DIFFICULT_IDS, LONGEST_IDS } from '../support/execution-ids.ts';

const IDS = [...Object.values(DIFFICULT_IDS), ...LONGEST_IDS, '}', '{', '}{', '{}', '#health', '.', '..'];

test('the keys of an execution are ASCII, without spaces, and in one slot', () => {
  for (const id of IDS) {
    const { log, meta, channel, lease } = logKeys('p:', id);
    expect(log).toMatch(/^p:stream:log:\{[!'()*+\-./0-9:@A-Z_a-z~%]+\}$/);
    expect(new Set([log, meta, channel, lease].map(slotOf)).size).toBe(1);
    expect(decodeURIComponent(log.slice('p:stream:log:{'.length, -1))).toBe(id);
  }
});

test('two ids have different keys, and none has those of the health check', () => {
  const channels = [...IDS, 'a b', 'a%20b', 'a+b'].map((id) => logKeys('', id).channel);
  expect(new Set(channels).size).toBe(channels.length);
  expect(channels).not.toContain(healthKeys('').channel);
});

test('the key of an id without special characters contains it unchanged', () => {
  expect(logKeys('', 'A-Z.a_z:0~9@x+y/1').log).toBe('stream:log:{A-Z.a_z:0~9@x+y/1}');
});
