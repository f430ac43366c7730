-- Takes a lease that is free, has expired or belongs to this holder.
-- KEYS: lease, meta
-- ARGV: holder, duration in ms
-- Returns the new fencing token, or nil while another holder has the lease.
-- @include ../../redis/scripts/shared/integer.lua
-- @include ../../redis/scripts/shared/now.lua
local lease, meta = KEYS[1], KEYS[2]
local held = redis.call('HMGET', lease, 'holder', 'fence')
if held[1] and held[1] ~= ARGV[1] then return nil end
-- The token is the current time, or one above the newest known token. A counter alone would restart at 1 if the
-- lease has expired and its holder's token has not reached the log.
local seen = tonumber(redis.call('HGET', meta, 'fence') or 0)
local fence = math.max(now(), tonumber(held[2] or 0), seen) + 1
redis.call('HSET', lease, 'holder', ARGV[1], 'fence', int(fence))
redis.call('PEXPIRE', lease, ARGV[2])
return fence
