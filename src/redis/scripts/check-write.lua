-- Writes a key that expires after a minute, to check whether Redis accepts writes.
-- KEYS: the key
-- Returns OK, or the error as a plain value: an error reply READONLY would make ioredis reconnect (redis-client.ts),
-- and every read in flight would fail with the connection.
local reply = redis.pcall('SET', KEYS[1], '1', 'PX', 60000)
return reply.err or 'OK'
