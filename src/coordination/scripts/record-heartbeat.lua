-- Records a heartbeat as of now.
-- KEYS: heartbeats
-- ARGV: execution id
-- @include ../../redis/scripts/shared/integer.lua
-- @include ../../redis/scripts/shared/now.lua
redis.call('ZADD', KEYS[1], int(now()), ARGV[1])
