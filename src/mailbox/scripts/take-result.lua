-- Gives the oldest result that was not read yet, and counts it as read. Two readers never get the same one. All stay in
-- the list until their time has passed after the last use, so that the history gets them too.
--
-- KEYS[1] results
-- KEYS[2] results read
-- ARGV[1] keep          ms after the last use
-- Returns the result | nil
local number = tonumber(redis.call('GET', KEYS[2]) or '0')
local result = redis.call('LINDEX', KEYS[1], number)
if not result then return nil end
redis.call('SET', KEYS[2], number + 1)
if redis.call('PTTL', KEYS[1]) > 0 then
  redis.call('PEXPIRE', KEYS[1], ARGV[1])
  redis.call('PEXPIRE', KEYS[2], ARGV[1])
end
return result
