// The three Lua scripts, each one atomic step in Redis. log.ts says what they mean; memory.ts says it in TypeScript.
//
// Invariants
// 1. The log holds the seqs `first`..`head` without a gap; `bytes` is the sum of their envelopes.
// 2. Meta with a head above 0 and no log, or a log without meta, is no log at all (an eviction took one of them). An
//    opened log without events is meta with head 0 alone: Redis has no empty streams to tell it by.
// 3. An envelope is put together from JSON texts that the client wrote. It never passes through cjson, which turns
//    [] into {}, rounds numbers and shuffles keys.
// 4. Nothing is written before every check has passed: a refusal leaves no trace but a newer fencing token.
import type { Redis } from 'ioredis';
import type { Connection } from '../../redis/connection.ts';
import { BATCHES_REMEMBERED } from '../log.ts';

const COMMON = `
local log, meta = KEYS[1], KEYS[2]

local function int(n) return string.format('%.0f', n) end

-- What is kept of a log, behind a table of what is assigned to it from now on: \`save\` writes that and no more.
local function load()
  local f = redis.call('HMGET', meta, 'epoch', 'head', 'numbering', 'attempt', 'publisher', 'takenAt', 'fence',
    'end', 'first', 'bytes', 'note')
  if not f[1] then return nil end
  local kept = { epoch = f[1], head = tonumber(f[2]), numbering = f[3], attempt = tonumber(f[4]), publisher = f[5],
    takenAt = tonumber(f[6]), fence = tonumber(f[7]), ['end'] = tonumber(f[8]),
    first = tonumber(f[9]), bytes = tonumber(f[10]), note = f[11] or '' }
  if kept.head > 0 and redis.call('EXISTS', log) == 0 then return nil end
  return setmetatable({}, { __index = kept })
end

-- Where the log stands, as every answer tells it.
local function standing(m)
  return m.epoch, m.head, m.numbering, m.attempt, m['end'], m.publisher ~= '' and 1 or 0, m.note
end
`;

const WRITE = `${COMMON}
-- In a cluster the channel is no key: while a slot is on its way, what names a key that is not there is refused.
local channel = KEYS[3] or table.remove(ARGV, 1)
local maxEvents, maxBytes, keepEndedMs = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3]

local function save(m)
  -- Something in any case: WAIT promises what its connection has written, and another one may have appended this.
  m.head = m.head
  local changed = {}
  for field, value in pairs(m) do
    changed[#changed + 1] = field
    changed[#changed + 1] = type(value) == 'number' and int(value) or value
  end
  redis.call('HSET', meta, unpack(changed))
end

-- Reads what it drops, for the sizes: in pages that double, so that no more than about twice of what is dropped is
-- read, and each event once in its life. The pages of one append hold more small events than a batch may hold bytes;
-- only a log written under wider bounds takes several appends to shrink.
local function trim(m)
  local size, first = 1, m.first
  while size <= 4096 and m.first < m.head and (m.head - m.first + 1 > maxEvents or m.bytes > maxBytes) do
    for _, entry in ipairs(redis.call('XRANGE', log, int(m.first) .. '-0', '+', 'COUNT', size)) do
      if m.first == m.head or (m.head - m.first + 1 <= maxEvents and m.bytes <= maxBytes) then break end
      m.bytes = m.bytes - #entry[2][2]
      m.first = m.first + 1
    end
    size = size * 2
  end
  if m.first > first then redis.call('XTRIM', log, 'MINID', '=', int(m.first) .. '-0') end
end

-- pieces: of each event its type, ts and data, as JSON, one behind the other, beginning at index from.
local function add(m, pieces, from)
  local announced = {}
  for i = from, #pieces, 3 do
    m.head = m.head + 1
    local seq = int(m.head)
    local e = '{"id":"' .. seq .. '-' .. m.epoch .. '","seq":' .. seq .. ',"type":' .. pieces[i] .. ',"ts":'
      .. pieces[i + 1] .. ',"attempt":' .. int(m.attempt) .. ',"data":' .. pieces[i + 2] .. '}'
    redis.call('XADD', log, seq .. '-0', 'e', e)
    announced[#announced + 1] = e
    m.bytes = m.bytes + #e
    if pieces[i] == '"complete"' or pieces[i] == '"error"' then m['end'] = m.head end
  end
  trim(m)
  redis.call('PUBLISH', channel, '{"epoch":"' .. m.epoch .. '","events":[' .. table.concat(announced, ',') .. ']}')
end

-- A relay names its token and no publisher. It never gets in the way of a publisher.
local function isRelay(fence, publisher) return fence and publisher == '' end
local function publishes(m) return m.numbering == 'auto' and m.publisher ~= '' end

local function expire(m)
  if m['end'] == 0 then return end
  redis.call('PEXPIRE', log, keepEndedMs)
  redis.call('PEXPIRE', meta, keepEndedMs)
end
`;

/**
 * ARGV: bounds (3), new epoch, numbering, publisher, attempt, fence, lost epoch, lost acknowledged, ts, and, of a server
 * that takes the log, the cursor at which it does.
 */
const OPEN = `${WRITE}
local epoch, numbering, publisher, attempt = ARGV[4], ARGV[5], ARGV[6], tonumber(ARGV[7])
local fence, lostEpoch, lostAcknowledged = tonumber(ARGV[8]), ARGV[9], tonumber(ARGV[10])
local ts, takesAt = ARGV[11], ARGV[12] or ''

local function begin(keptFence)
  redis.call('UNLINK', log, meta)
  local m = { epoch = epoch, head = 0, numbering = numbering, attempt = attempt, publisher = publisher, takenAt = 0,
    fence = math.max(fence or 0, keptFence), ['end'] = 0, first = 1, bytes = 0, note = '' }
  if lostEpoch ~= '' and numbering == 'auto' then
    add(m, { '"reset"', ts, '{"reason":"log_lost"}' }, 1)
    m.takenAt = m.head
  end
  return m
end

local function answer(outcome, m, fresh)
  save(m)
  local told = { outcome, standing(m) }
  told[#told + 1] = fresh and 1 or 0
  return told
end

-- A server that has seen more of the log than is left of it publishes nothing, and leaves it to whoever does.
local witnesses = numbering == 'auto' and publisher == '' and not fence and lostEpoch ~= ''

local m = load()
if not m then
  if takesAt ~= '' then return { 'superseded', attempt } end
  m = begin(0)
  return answer('opened', m, true)
end
if m.numbering ~= numbering then return { 'wrong-numbering', m.numbering } end
if fence and fence < m.fence then return { 'fenced' } end
m.fence = math.max(m.fence, fence or 0)
if m['end'] > 0 then return answer('ended', m) end
if attempt < m.attempt or isRelay(fence, publisher) and publishes(m) then
  save(m)
  return { 'superseded', m.attempt }
end
if lostEpoch == m.epoch and m.head < lostAcknowledged then
  local holder = m.publisher
  m = begin(m.fence)
  if witnesses then m.publisher = holder end
  return answer('opened', m, true)
end
if witnesses then return answer('opened', m, lostEpoch ~= m.epoch) end
local holds, newer = m.publisher == publisher, attempt > m.attempt
local free = m.publisher == '' or m.head <= m.takenAt
if takesAt ~= '' then free = takesAt == int(m.head) .. '-' .. m.epoch end
if not holds and not newer and not free then
  save(m)
  return { 'superseded', m.attempt }
end
m.publisher = publisher
m.attempt = attempt
if newer and numbering == 'auto' and m.head > 0 then
  add(m, { '"reset"', ts, '{"reason":"attempt"}' }, 1)
end
if not holds or newer then m.takenAt = m.head end
return answer('opened', m, lostEpoch ~= '' and lostEpoch ~= m.epoch)
`;

/** ARGV: bounds (3), epoch, acknowledged, publisher, fence, attempt, batch (its name, and a digest after a space), first seq if fixed, note, pieces. */
const APPEND = `${WRITE}
local epoch, acknowledged, publisher, fence = ARGV[4], tonumber(ARGV[5]), ARGV[6], tonumber(ARGV[7])
local attempt, first, note = tonumber(ARGV[8]), tonumber(ARGV[10]), ARGV[11]
local batch, digest = string.match(ARGV[9], '^(%S*) ?(.*)$')
local from = 12

-- Fixed: the seq of an event that is stored otherwise than it is sent now, ts left aside. What was trimmed passes.
local function conflict(m)
  local last = math.min(m.head, first + (#ARGV - from + 1) / 3 - 1)
  if last < first then return nil end
  for _, entry in ipairs(redis.call('XRANGE', log, int(first) .. '-0', int(last) .. '-0')) do
    local seq = tonumber(string.match(entry[1], '^%d+'))
    local i, e = from + 3 * (seq - first), entry[2][2]
    local start = '{"id":"' .. int(seq) .. '-' .. m.epoch .. '","seq":' .. int(seq) .. ',"type":' .. ARGV[i] .. ','
    local rest = ',"data":' .. ARGV[i + 2] .. '}'
    if string.sub(e, 1, #start) ~= start or string.sub(e, -#rest) ~= rest then return seq end
  end
  return nil
end

-- The names stand in a ring, so that the oldest one gives way.
local function remember(m)
  local slot = 'n:' .. redis.call('HINCRBY', meta, 'batches', 1) % ${BATCHES_REMEMBERED}
  local oldest = redis.call('HGET', meta, slot)
  if oldest then redis.call('HDEL', meta, 'b:' .. oldest) end
  redis.call('HSET', meta, slot, batch, 'b:' .. batch, digest == '' and int(m.head) or int(m.head) .. ' ' .. digest)
end

local m = load()
if not m or m.epoch ~= epoch then return { 'lost' } end
if fence and fence < m.fence then return { 'fenced' } end
if publisher ~= '' and publisher ~= m.publisher then return { 'superseded', m.attempt } end
if attempt and attempt < m.attempt then return { 'superseded', m.attempt } end
if isRelay(fence, publisher) and publishes(m) then return { 'superseded', m.attempt } end
local known = batch ~= '' and redis.call('HGET', meta, 'b:' .. batch)
if known then
  local head, stored = string.match(known, '^(%d+) ?(.*)$')
  if digest ~= '' and stored ~= '' and stored ~= digest then return { 'batch-reused' } end
  save(m)
  return { 'appended', tonumber(head) }
end
if (first ~= nil) ~= (m.numbering == 'fixed') then return { 'wrong-numbering', m.numbering } end
if first then
  if first > m.head + 1 then return { 'gap', m.head } end
  local at = conflict(m)
  if at then return { 'conflict', at } end
  from = from + 3 * (m.head + 1 - first)
elseif m.head < acknowledged then
  return { 'lost' }
end
local adds = from <= #ARGV
if adds and m['end'] > 0 then return { 'ended', m['end'] } end
if (fence or 0) > m.fence then m.fence = fence end
if (attempt or 0) > m.attempt then m.attempt = attempt end
if adds then add(m, ARGV, from) end
if batch ~= '' then remember(m) end
if note ~= '' then m.note = note end
save(m)
if adds then expire(m) end
return { 'appended', m.head }
`;

/** ARGV: after, limit. */
const PAGE = `${COMMON}
local m = load()
if not m then return false end
local events = {}
if tonumber(ARGV[2]) > 0 then
  for i, entry in ipairs(redis.call('XRANGE', log, int(tonumber(ARGV[1]) + 1) .. '-0', '+', 'COUNT', ARGV[2])) do
    events[i] = entry[2][2]
  end
end
local told = { standing(m) }
told[#told + 1] = events
return told
`;

type Script = (...keysAndArguments: (string | number)[]) => Promise<unknown>;

/** A client that knows the scripts. */
export type ScriptedRedis = Redis & { openLog: Script; appendToLog: Script; readLog: Script };

/**
 * Teaches clients the scripts: EVALSHA, and EVAL where Redis has not met them yet. What each is called with is the
 * same everywhere; in a cluster, where announcements are sharded, but two of it are keys.
 */
export function defineScripts(clients: Pick<Connection, 'defineCommand' | 'isSharded'>): void {
  const [numberOfKeys, publish] = clients.isSharded ? [2, `'SPUBLISH'`] : [3, `'PUBLISH'`];
  const written = (lua: string) => ({ numberOfKeys, lua: lua.replace(`'PUBLISH'`, publish) });
  clients.defineCommand('openLog', written(OPEN));
  clients.defineCommand('appendToLog', written(APPEND));
  clients.defineCommand('readLog', { numberOfKeys: 2, lua: PAGE });
}
