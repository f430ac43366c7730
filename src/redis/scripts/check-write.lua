-- Does what the log needs, with a key that expires after a minute: writes of every type, and an announcement.
-- KEYS: the key. ARGV: the channel, PUBLISH or SPUBLISH
-- Returns OK, or the command and its error as a plain value: an error reply READONLY would make ioredis reconnect
-- (redis-client.ts), and every read in flight would fail with the connection.
-- A script that has written is no longer rejected for a lack of memory, so a command that needs memory is the first one.
local commands = {
  {'SET', KEYS[1], '1'},
  {'DEL', KEYS[1]},
  {'XADD', KEYS[1], '1-0', 'e', ''},
  {'DEL', KEYS[1]},
  {'HSET', KEYS[1], 'f', ''},
  {'DEL', KEYS[1]},
  {'ZADD', KEYS[1], 0, ''},
  {'SET', KEYS[1], '1', 'PX', 60000},
  {ARGV[2], ARGV[1], ''},
}
for _, command in ipairs(commands) do
  local reply = redis.pcall(unpack(command))
  if type(reply) == 'table' and reply.err then return command[1] .. ' ' .. reply.err end
end
return 'OK'
