-- What opening and appending share.
-- KEYS: log, meta, and outside a cluster the channel
-- ARGV: in a cluster the channel first; then maxEvents, maxBytes, keepEndedMs
-- @include meta.lua

-- In a cluster the channel is not a key: while a slot migrates, a command that names a key that is not on the node is
-- rejected. Announcements are sharded there.
local publish, channel = 'PUBLISH', KEYS[3]
if not channel then publish, channel = 'SPUBLISH', table.remove(ARGV, 1) end
local maxEvents, maxBytes, keepEndedMs = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3]

local function save(m)
  -- Writes something in any case: WAIT covers only what its own connection has written, and the events of a repeated
  -- batch may have been appended by another connection.
  m.head = m.head
  local changed = {}
  for field, value in pairs(m) do
    changed[#changed + 1] = field
    changed[#changed + 1] = type(value) == 'number' and int(value) or value
  end
  redis.call('HSET', meta, unpack(changed))
end

-- Removes the oldest events above the limits. It has to read them for their sizes: in pages that double, so that it
-- reads no more than about twice of what it removes, and each event once in its life. The pages of one append hold
-- more small events than one batch can add; only a log written under wider limits takes several appends to shrink.
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

-- Appends and announces events. `pieces` has the type, ts and data of each as JSON texts, from index `from` on.
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
  redis.call(publish, channel, '{"epoch":"' .. m.epoch .. '","events":[' .. table.concat(announced, ',') .. ']}')
end

-- A relay names its fencing token and no publisher. It never writes to an auto log that a publisher holds.
local function isRelay(fence, publisher) return fence and publisher == '' end
local function hasPublisher(m) return m.numbering == 'auto' and m.publisher ~= '' end
