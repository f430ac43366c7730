-- Records a heartbeat as of now for each execution that has none, or one in the future.
-- KEYS: heartbeats
-- ARGV: execution ids
-- @include ../../redis/scripts/shared/integer.lua
-- @include ../../redis/scripts/shared/now.lua
local at = int(now())
local entries = {}
for i, id in ipairs(ARGV) do
  entries[2 * i - 1] = at
  entries[2 * i] = id
end
-- LT adds missing members, and lowers a score that lies in the future.
redis.call('ZADD', KEYS[1], 'LT', unpack(entries))
