-- Reads and describes the state of a log, which is kept in its meta hash.
-- KEYS: log, meta
-- @include ../../../../redis/scripts/shared/integer.lua
local log, meta = KEYS[1], KEYS[2]

-- The stored state is the fallback of an empty table: what is assigned to that table is what save() writes.
local function load()
  local f = redis.call('HMGET', meta, 'epoch', 'head', 'numbering', 'attempt', 'publisher', 'takenAt', 'fence',
    'end', 'first', 'bytes', 'note', 'reason', 'openEnd', 'incarnation')
  if not f[1] then return nil end
  local stored = { epoch = f[1], head = tonumber(f[2]), numbering = f[3], attempt = tonumber(f[4]), publisher = f[5],
    takenAt = tonumber(f[6]), fence = tonumber(f[7]), ['end'] = tonumber(f[8]),
    first = tonumber(f[9]), bytes = tonumber(f[10]), note = f[11] or '',
    reason = f[12] or '', openEnd = f[13] or '', incarnation = f[14] or '' }
  if stored.head > 0 and redis.call('EXISTS', log) == 0 then return nil end
  return setmetatable({}, { __index = stored })
end

-- The log's head (LogHead in log.ts), in the order in which every reply has its fields.
local function headOf(m)
  return m.epoch, m.head, m.numbering, m.attempt, m['end'], m.publisher ~= '' and 1 or 0, m.note, m.reason,
    m.incarnation
end
