-- Reads a log's head, and the events after a seq.
-- KEYS: log, meta
-- ARGV: seq, limit
-- Returns the fields of the head and a list of envelopes, or false if there is no log.
-- @include shared/meta.lua
local m = load()
if not m then return false end
local events = {}
if tonumber(ARGV[2]) > 0 then
  for i, entry in ipairs(redis.call('XRANGE', log, int(tonumber(ARGV[1]) + 1) .. '-0', '+', 'COUNT', ARGV[2])) do
    events[i] = entry[2][2]
  end
end
local fields = { headOf(m) }
fields[#fields + 1] = events
return fields
