-- Opens a log, and creates it if it is missing or lost (LogWriter.open in log.ts).
-- KEYS, ARGV: see shared/write.lua; then new epoch, numbering, publisher, attempt, fence, lost epoch,
--   lost acknowledged, ts, takeover cursor, reset reason, incarnation
-- Returns the outcome and its details: a head and whether the epoch is new to the writer, or an attempt, or a
--   numbering.
-- @include shared/write.lua
local epoch, numbering, publisher, attempt = ARGV[4], ARGV[5], ARGV[6], tonumber(ARGV[7])
local fence, lostEpoch, lostAcknowledged = tonumber(ARGV[8]), ARGV[9], tonumber(ARGV[10])
-- The last two are optional: publishers that call the script themselves have none (docs/publishing.md).
local ts, takeoverCursor, reason, incarnation = ARGV[11], ARGV[12] or '', ARGV[13] or 'log_lost', ARGV[14] or ''

-- `isReplaced`: the log takes the place of a former one.
local function begin(keptFence, isReplaced)
  redis.call('UNLINK', log, meta)
  local m = { epoch = epoch, head = 0, numbering = numbering, attempt = attempt, publisher = publisher, takenAt = 0,
    fence = math.max(fence or 0, keptFence), ['end'] = 0, first = 1, bytes = 0, note = '', openEnd = '',
    reason = '', incarnation = incarnation }
  if lostEpoch ~= '' then m.reason = reason elseif isReplaced then m.reason = 'run' end
  if m.reason ~= '' and numbering == 'auto' then
    add(m, { '"reset"', ts, '{"reason":"' .. m.reason .. '"}' }, 1)
    m.takenAt = m.head
  end
  return m
end

local function reply(outcome, m, isNewEpoch)
  save(m)
  local fields = { outcome, headOf(m) }
  fields[#fields + 1] = isNewEpoch and 1 or 0
  return fields
end

-- A server that has read more of the log than is left of it, or another row than that of the log. It does not publish:
-- the log stays with its holder.
local isWriter = publisher ~= '' or fence or takeoverCursor ~= ''
local isReport = numbering == 'auto' and not isWriter and (lostEpoch ~= '' or incarnation ~= '')

local m = load()
if not m then
  if takeoverCursor ~= '' then return { 'superseded', attempt } end
  m = begin(0)
  return reply('opened', m, true)
end
if m.numbering ~= numbering then return { 'wrong-numbering', m.numbering } end
if fence and fence < m.fence then return { 'fenced' } end
m.fence = math.max(m.fence, fence or 0)
if incarnation ~= '' and m.incarnation ~= '' and m.incarnation ~= incarnation then
  if lostEpoch ~= '' or takeoverCursor ~= '' then
    save(m)
    return { 'superseded', m.attempt }
  end
  -- Nobody has received anything of an empty log.
  m = begin(m.fence, m.head > 0)
  return reply('opened', m, true)
end
if m.incarnation == '' and incarnation ~= '' then m.incarnation = incarnation end
if m['end'] > 0 then return reply('ended', m) end
if attempt < m.attempt or isRelay(fence, publisher) and hasPublisher(m) then
  save(m)
  return { 'superseded', m.attempt }
end
if lostEpoch == m.epoch and m.head < lostAcknowledged then
  local holder = m.publisher
  m = begin(m.fence)
  if isReport then m.publisher = holder end
  return reply('opened', m, true)
end
if isReport then return reply('opened', m, lostEpoch ~= '' and lostEpoch ~= m.epoch) end
local isHolder, isNewer = m.publisher == publisher, attempt > m.attempt
local isFree = m.publisher == '' or m.head <= m.takenAt
if takeoverCursor ~= '' then isFree = takeoverCursor == int(m.head) .. '-' .. m.epoch end
if not isHolder and not isNewer and not isFree then
  save(m)
  return { 'superseded', m.attempt }
end
m.publisher = publisher
m.attempt = attempt
if isNewer and numbering == 'auto' and m.head > 0 then
  add(m, { '"reset"', ts, '{"reason":"attempt"}' }, 1)
end
if not isHolder or isNewer then m.takenAt = m.head end
return reply('opened', m, lostEpoch ~= '' and lostEpoch ~= m.epoch)
