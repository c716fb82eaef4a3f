-- Lets one request of a user of a tenant in, or says for how long neither may send another. Both have a minute's worth of
-- requests at once, and get them back evenly (the generic cell rate algorithm: a key holds the time up to which what was
-- sent would have filled the limit). A request that is not let in costs nothing.
--
-- KEYS[1] turns of the tenant
-- KEYS[2] turns of the user
-- ARGV[1] requests a minute of the tenant; 0 is no limit
-- ARGV[2] the same of the user
-- Returns {'granted'} | {'tenant' or 'user', milliseconds until the next would be let in}
local minute = 60000
local now = nowMs()

-- When what was sent will have been made up for, and how long to wait if that is more than a minute ahead.
local function charge(key, perMinute)
  if perMinute == 0 then return nil, 0 end
  local full = math.max(tonumber(redis.call('GET', key) or 0), now) + minute / perMinute
  return full, full - now - minute
end

local tenantFull, tenantWait = charge(KEYS[1], tonumber(ARGV[1]))
if tenantWait > 0 then return { 'tenant', math.ceil(tenantWait) } end
local userFull, userWait = charge(KEYS[2], tonumber(ARGV[2]))
if userWait > 0 then return { 'user', math.ceil(userWait) } end
if tenantFull then redis.call('SET', KEYS[1], string.format('%.3f', tenantFull), 'PX', math.ceil(tenantFull - now)) end
if userFull then redis.call('SET', KEYS[2], string.format('%.3f', userFull), 'PX', math.ceil(userFull - now)) end
return { 'granted' }
