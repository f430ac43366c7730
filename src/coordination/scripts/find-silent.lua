-- Finds executions without a heartbeat for longer than a time, the longest silent first.
-- KEYS: heartbeats
-- ARGV: the time in ms, limit
-- @include ../../redis/scripts/shared/integer.lua
-- @include ../../redis/scripts/shared/now.lua
local before = '(' .. int(now() - tonumber(ARGV[1]))
return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', before, 'LIMIT', 0, ARGV[2])
