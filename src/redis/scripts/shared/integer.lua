-- Formats a number as a decimal integer: tostring() switches to an exponent from 1e14 on.
local function int(n) return string.format('%.0f', n) end
