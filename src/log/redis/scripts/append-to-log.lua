-- Appends a batch of events (LogWriter.append in log.ts).
-- KEYS, ARGV: see shared/write.lua; then epoch, acknowledged, publisher, fence, attempt, batch (its name, and after a
--   space its digest), first seq of a fixed batch, note, and three JSON texts of each event
-- Returns the outcome and its detail.
-- @include shared/write.lua
local epoch, acknowledged, publisher, fence = ARGV[4], tonumber(ARGV[5]), ARGV[6], tonumber(ARGV[7])
local attempt, first, note = tonumber(ARGV[8]), tonumber(ARGV[10]), ARGV[11]
local batch, digest = string.match(ARGV[9], '^(%S*) ?(.*)$')
local from = 12
-- BATCHES_REMEMBERED in log.ts.
local batchesRemembered = 256

-- Fixed logs: the seq of the first event that differs from the stored one, not counting ts. Trimmed events count as
-- equal.
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

-- The names form a ring: each one replaces the oldest.
local function remember(m)
  local slot = 'n:' .. redis.call('HINCRBY', meta, 'batches', 1) % batchesRemembered
  local oldest = redis.call('HGET', meta, slot)
  if oldest then redis.call('HDEL', meta, 'b:' .. oldest) end
  redis.call('HSET', meta, slot, batch, 'b:' .. batch, digest == '' and int(m.head) or int(m.head) .. ' ' .. digest)
end

local function expire(m)
  if m['end'] == 0 then return end
  redis.call('PEXPIRE', log, keepEndedMs)
  redis.call('PEXPIRE', meta, keepEndedMs)
end

local m = load()
if not m or m.epoch ~= epoch then return { 'lost' } end
if fence and fence < m.fence then return { 'fenced' } end
if publisher ~= '' and publisher ~= m.publisher then return { 'superseded', m.attempt } end
if attempt and attempt < m.attempt then return { 'superseded', m.attempt } end
if isRelay(fence, publisher) and hasPublisher(m) then return { 'superseded', m.attempt } end
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
  local seq = conflict(m)
  if seq then return { 'conflict', seq } end
  from = from + 3 * (m.head + 1 - first)
elseif m.head < acknowledged then
  return { 'lost' }
end
local hasNew = from <= #ARGV
if hasNew and m['end'] > 0 then return { 'ended', m['end'] } end
if (fence or 0) > m.fence then m.fence = fence end
if (attempt or 0) > m.attempt then m.attempt = attempt end
if hasNew then add(m, ARGV, from) end
if batch ~= '' then remember(m) end
if note ~= '' then m.note = note end
save(m)
if hasNew then expire(m) end
return { 'appended', m.head }
