-- Reads how long ago each heartbeat was.
-- KEYS: heartbeats
-- ARGV: execution ids
-- Returns milliseconds, in the order of the ids; nil if there is no heartbeat.
-- @include ../../redis/scripts/shared/now.lua
local at = now()
local silences = {}
for i, score in ipairs(redis.call('ZMSCORE', KEYS[1], unpack(ARGV))) do
  silences[i] = score and math.max(0, at - tonumber(score))
end
return silences
