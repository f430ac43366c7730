-- Releases a lease that this token still holds.
-- KEYS: lease
-- ARGV: fencing token
if redis.call('HGET', KEYS[1], 'fence') == ARGV[1] then redis.call('DEL', KEYS[1]) end
