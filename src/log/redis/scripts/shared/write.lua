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

-- What the next chunk may complete at the end of a chunk: CR, or the first half of a surrogate pair, as JSON escapes
-- both. The last 16 bytes rule out almost every chunk; in front of an escape, backslashes come in pairs.
local function openEndOf(data)
  local escaped = '([ru]%x*)"%s*}%s*$'
  if not string.find(string.sub(data, -16), '\\' .. escaped) then return '' end
  local slashes, unit = string.match(data, '(\\+)' .. escaped)
  if not slashes or #slashes % 2 == 0 then return '' end
  if unit == 'r' or string.lower(unit) == 'u000d' then return '\\r' end
  return string.match(unit, '^u[dD][89abAB]%x%x$') and '\\' .. unit or ''
end

local function isEmpty(data) return string.find(data, '^%s*{%s*"content"%s*:%s*""%s*}%s*$') end

-- Whether a chunk begins with LF after CR, or with the second half of a surrogate pair after the first.
local function completes(openEnd, data)
  local unit = string.match(data, '^%s*{%s*"content"%s*:%s*"\\([nu]%x*)')
  if not unit then return false end
  if openEnd == '\\r' then return string.sub(unit, 1, 1) == 'n' or string.lower(string.sub(unit, 1, 5)) == 'u000a' end
  return string.find(unit, '^u[dD][c-fC-F]%x%x') ~= nil
end

-- Notes where the text ends. Returns a member for the envelope of a chunk that completes the end of the one before, so
-- that readers of single chunks can join both halves.
local function joinText(m, type, data)
  local before, after = m.openEnd, m.openEnd
  if type == '"reset"' then after = '' end
  if type == '"llm_chunk"' and (before == '' or not isEmpty(data)) then after = openEndOf(data) end
  if after ~= before then m.openEnd = after end
  if before == '' or type ~= '"llm_chunk"' or not completes(before, data) then return '' end
  return ',"completes":"' .. before .. '"'
end

-- Appends and announces events. `pieces` has the type, ts and data of each as JSON texts, from index `from` on.
local function add(m, pieces, from)
  local announced = {}
  for i = from, #pieces, 3 do
    m.head = m.head + 1
    local seq = int(m.head)
    local e = '{"id":"' .. seq .. '-' .. m.epoch .. '","seq":' .. seq .. ',"type":' .. pieces[i] .. ',"ts":'
      .. pieces[i + 1] .. ',"attempt":' .. int(m.attempt) .. joinText(m, pieces[i], pieces[i + 2])
      .. ',"data":' .. pieces[i + 2] .. '}'
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
