-- Extends a lease that this token still holds, and replaces its note.
-- KEYS: lease
-- ARGV: fencing token, duration in ms, note ('' for none)
-- Returns 1, or 0 if the token no longer holds the lease.
if redis.call('HGET', KEYS[1], 'fence') ~= ARGV[1] then return 0 end
if ARGV[3] == '' then redis.call('HDEL', KEYS[1], 'note') else redis.call('HSET', KEYS[1], 'note', ARGV[3]) end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
