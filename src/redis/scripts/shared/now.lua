-- Milliseconds by Redis' own clock: the clocks of workers and servers differ.
local function now()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end
